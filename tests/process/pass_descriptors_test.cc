// SPDX-License-Identifier: MIT
#include "process/pass_descriptors.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/fd.h"

namespace tunnel::process {
namespace {

Received receive(int socket) {
  auto received = receive_descriptors(socket, 64, MSG_DONTWAIT);
  REQUIRE(received);
  return std::move(*received);
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

TEST_CASE("what arrives without room for its descriptors is known to be cut") {
  const Line line;
  CHECK(send_descriptors(line.near.get(), "take", std::array<int, 1>{line.near.get()}) == 4);
  CHECK_FALSE(receive(line.far.get()).is_cut);
  const rlimit before = [] {
    rlimit now{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &now) == 0);
    return now;
  }();
  CHECK(send_descriptors(line.near.get(), "take", std::array<int, 1>{line.near.get()}) == 4);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const Received received = receive(line.far.get());
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(received.message == "take");
  CHECK(received.is_cut);
  CHECK(received.descriptors.empty());
}

TEST_CASE("where the other end has gone there is an error, and no signal") {
  Line line;
  line.far.reset();
  CHECK(send_descriptors(line.near.get(), "hello", {}) == -1);
  CHECK(errno == EPIPE);
  Line other;
  other.near.reset();
  CHECK(receive(other.far.get()).message.empty());
}

}  // namespace tunnel::process
