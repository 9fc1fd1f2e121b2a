// SPDX-License-Identifier: MIT
#include "process/forced_end.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/socket.h"

namespace tunnel::process {
namespace {

// Descriptors above it are left to a plain close.
// Container engines are known to set limits of a thousand million, and a system call for each
// number would take minutes.
constexpr rlim_t kMostToClose = 1 << 20;

// A listener may be in the service manager's keeping, too: what is set on it would hold for every
// connection that the next process accepts.
bool is_listening(int fd) {
  int value = 0;
  socklen_t length = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0 && value != 0;
}

}  // namespace

// No /proc, no memory: a thread that stands still may hold the allocator's lock.
void end_at_once(int exit_status) {
  rlimit limit{};
  const bool is_known = ::getrlimit(RLIMIT_NOFILE, &limit) == 0;
  const auto end =
      static_cast<int>(is_known ? std::min(limit.rlim_cur, kMostToClose) : kMostToClose);
  for (int fd = STDERR_FILENO + 1; fd < end; ++fd) {
    if (!is_listening(fd)) reset_on_close(fd);
  }
  ::_exit(exit_status);
}

}  // namespace tunnel::process
