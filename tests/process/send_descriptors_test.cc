// SPDX-License-Identifier: MIT
#include "process/send_descriptors.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "base/fd.h"

namespace tunnel::process {
namespace {

struct Received {
  std::string message;
  std::vector<Fd> descriptors;
};

Received receive(int socket) {
  std::array<char, 64> text{};
  iovec piece{.iov_base = text.data(), .iov_len = text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMostDescriptors)> control{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  REQUIRE(size >= 0);
  Received received{{text.data(), static_cast<std::size_t>(size)}, {}};
  if (const cmsghdr* part = CMSG_FIRSTHDR(&header)) {
    std::vector<int> numbers((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(numbers.data(), CMSG_DATA(part), numbers.size() * sizeof(int));
    for (const int number : numbers) received.descriptors.emplace_back(number);
  }
  return received;
}

bool is_same_file(int one, int other) {
  struct stat a {};
  struct stat b {};
  return ::fstat(one, &a) == 0 && ::fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

struct Line {
  Fd near, far;
  Line() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    near = Fd(ends[0]);
    far = Fd(ends[1]);
  }
};

}  // namespace

TEST_CASE("descriptors arrive with their message, in order, as copies") {
  const Line line;
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Fd zero(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  const std::array<int, 2> both{null.get(), zero.get()};
  CHECK(send_descriptors(line.near.get(), "take", both) == 4);
  const Received received = receive(line.far.get());
  CHECK(received.message == "take");
  REQUIRE(received.descriptors.size() == 2);
  CHECK(is_same_file(received.descriptors[0].get(), null.get()));
  CHECK(is_same_file(received.descriptors[1].get(), zero.get()));
  CHECK(received.descriptors[0].get() != null.get());
}

TEST_CASE("a message may have no descriptors, and as many as the limit says") {
  const Line line;
  CHECK(send_descriptors(line.near.get(), "none", {}) == 4);
  CHECK(receive(line.far.get()).descriptors.empty());
  const std::vector<int> many(kMostDescriptors, line.near.get());
  CHECK(send_descriptors(line.near.get(), "many", many) == 4);
  CHECK(receive(line.far.get()).descriptors.size() == kMostDescriptors);
}

TEST_CASE("where the other end has gone there is an error, and no signal") {
  Line line;
  line.far.reset();
  CHECK(send_descriptors(line.near.get(), "hello", {}) == -1);
  CHECK(errno == EPIPE);
}

}  // namespace tunnel::process
