// SPDX-License-Identifier: MIT
#include "runtime/connection_limit.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <cstddef>
#include <vector>

#include "base/fd.h"

namespace tunnel::runtime::connection_limit_test {
namespace {

// How many descriptors the process may have, for the time of a test.
class OpenFiles {
 public:
  explicit OpenFiles(rlim_t soft) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit now{.rlim_cur = soft, .rlim_max = before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &now) == 0);
  }
  ~OpenFiles() { (void)::setrlimit(RLIMIT_NOFILE, &before_); }
  OpenFiles(const OpenFiles&) = delete;
  OpenFiles& operator=(const OpenFiles&) = delete;

 private:
  rlimit before_{};
};

std::vector<Fd> open_some(std::size_t count) {
  std::vector<Fd> some;
  for (std::size_t i = 0; i < count; ++i) {
    some.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  return some;
}

}  // namespace

TEST_CASE("a connection takes two of the descriptors that are left") {
  const OpenFiles files(1024);
  const std::size_t before = connection_limit();
  CHECK(before < 1024 / 2);
  CHECK(before > 1024 / 4);
  const std::vector<Fd> some = open_some(20);
  CHECK(connection_limit() == before - 10);
}

TEST_CASE("there is room for one connection however few descriptors there are") {
  const OpenFiles files(4);
  CHECK(connection_limit() == 1);
}

}  // namespace tunnel::runtime::connection_limit_test
