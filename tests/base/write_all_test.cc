// SPDX-License-Identifier: MIT
#include "base/write_all.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <thread>

#include "base/fd.h"

namespace tunnel {

TEST_CASE("a text larger than a non-blocking pipe goes out whole, once somebody reads") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  REQUIRE(::fcntl(writer.get(), F_SETFL, O_NONBLOCK) == 0);
  const std::string text(1 << 20, 'x');
  std::string received;
  std::thread reading([&] {
    std::array<char, 4096> part;
    for (ssize_t n = 0; (n = ::read(reader.get(), part.data(), part.size())) > 0;) {
      received.append(part.data(), static_cast<std::size_t>(n));
    }
  });
  CHECK(write_all(writer.get(), text) == 0);
  writer.reset();
  reading.join();
  CHECK(received == text);
}

TEST_CASE("why it could not be written is told") {
  CHECK(write_all(-1, "x") == EBADF);
  CHECK(write_all(-1, "") == 0);
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  CHECK(write_all(full.get(), "x") == ENOSPC);
}

}  // namespace tunnel
