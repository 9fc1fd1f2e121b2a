// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file_owner.h"
#include "config/model.h"
#include "runtime/listening_socket.h"

namespace tunnel::runtime {

// The listening sockets of `status`. Shared by the configurations that want the same address, one
// after the other: a reload that leaves an address alone leaves its socket alone.
struct StatusSocket {
  SocketAddress wanted;  // as the configuration has it: port 0 where it wants any
  std::shared_ptr<ListeningSocket> socket;
};

struct StatusSockets {
  std::vector<StatusSocket> sockets;
  std::vector<std::string> problems;  // sentences that name the address
};

// Binds what is not at hand.
[[nodiscard]] StatusSockets bind_status(const config::Global& global, const FileOwner& owner,
                                        const std::vector<StatusSocket>& at_hand,
                                        process::PassedSockets* passed);

}  // namespace tunnel::runtime
