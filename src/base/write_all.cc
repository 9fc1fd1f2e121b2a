// SPDX-License-Identifier: MIT
#include "base/write_all.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace tunnel {

int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n > 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
    } else if (n < 0 && errno == EAGAIN) {
      // Without a limit: a reader that has stopped stops the writer, as it would on a blocking
      // descriptor.
      pollfd wait{.fd = fd, .events = POLLOUT, .revents = 0};
      (void)::poll(&wait, 1, -1);
    } else if (n < 0 && errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace tunnel
