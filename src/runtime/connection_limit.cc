// SPDX-License-Identifier: MIT
#include "runtime/connection_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <system_error>

namespace tunnel::runtime {
namespace {

std::size_t open_descriptors() {
  std::error_code error;
  std::size_t count = 0;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    ++count;
  }
  // Without /proc there is nothing to count. A guess that is too low is made good by accept4 and
  // EMFILE, see the Acceptor.
  return count > 0 ? count : 64;
}

// Descriptors that connections do not get: log files that are reopened, DNS queries, health checks.
// Where there are few they must not be most of them.
std::size_t reserved_descriptors(std::size_t limit) {
  return std::clamp<std::size_t>(limit / 16, 2, 24);
}

}  // namespace

std::size_t connection_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  const std::size_t all = limit.rlim_cur;
  const std::size_t used = open_descriptors() + reserved_descriptors(all);
  // Asked once, at the start: what is open then is taken to stay open.
  return all > used + 2 ? (all - used) / 2 : 1;
}

}  // namespace tunnel::runtime
