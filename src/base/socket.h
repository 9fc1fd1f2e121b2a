// SPDX-License-Identifier: MIT
// What is asked of a socket by its descriptor. No state; any thread.
#pragma once

#include <sys/socket.h>

#include <optional>

#include "base/address.h"

namespace tunnel {

// The address that it is bound to, or connected to; of no family (AF_UNSPEC) when there is none.
[[nodiscard]] SocketAddress local_address(int fd);
[[nodiscard]] SocketAddress peer_address(int fd);

// Whose process is at the other end of a unix socket; nothing where that is not known.
[[nodiscard]] std::optional<ucred> peer_process(int fd);

// The next close(2) sends RST and drops what is queued. Safe in a signal handler.
void reset_on_close(int fd);

}  // namespace tunnel
