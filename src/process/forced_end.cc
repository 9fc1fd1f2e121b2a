// SPDX-License-Identifier: MIT
#include "process/forced_end.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace tunnel::process {
namespace {

// Descriptors above it are left to a plain close.
constexpr rlim_t kMostDescriptors = 1 << 20;

}  // namespace

// No /proc, no memory: a thread that stands still may hold the allocator's lock.
void end_at_once(int exit_status) {
  rlimit limit{};
  const bool is_known = ::getrlimit(RLIMIT_NOFILE, &limit) == 0;
  const auto end =
      static_cast<int>(is_known ? std::min(limit.rlim_cur, kMostDescriptors) : kMostDescriptors);
  const linger hard{.l_onoff = 1, .l_linger = 0};
  for (int fd = STDERR_FILENO + 1; fd < end; ++fd) {
    (void)::setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  ::_exit(exit_status);
}

}  // namespace tunnel::process
