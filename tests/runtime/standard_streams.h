// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstddef>

#include "base/fd.h"

namespace tunnel::runtime::testing {

// Puts descriptors in the place of standard input, output and error for the time of a test.
class Streams {
 public:
  Streams(int in, int out, int error = -1) {
    const std::array<int, 3> wanted{in, out, error};
    for (int fd = 0; fd < 3; ++fd) {
      kept_[static_cast<std::size_t>(fd)] = ::fcntl(fd, F_DUPFD_CLOEXEC, 10);
      if (wanted[static_cast<std::size_t>(fd)] >= 0) {
        REQUIRE(::dup2(wanted[static_cast<std::size_t>(fd)], fd) == fd);
      }
    }
  }
  ~Streams() {
    for (int fd = 0; fd < 3; ++fd) {
      (void)::dup2(kept_[static_cast<std::size_t>(fd)], fd);
      (void)::close(kept_[static_cast<std::size_t>(fd)]);
    }
  }
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

 private:
  std::array<int, 3> kept_{};
};

struct Ends {
  Fd reading, writing;
};

inline Ends pipe_ends() {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

}  // namespace tunnel::runtime::testing
