// SPDX-License-Identifier: MIT
#pragma once

#include <set>
#include <string>

namespace tunnel::cli {

// The control sockets that the configurations of running instances name: of this user's instances
// and, for root, of all, which are those that answer this process. Looks into /proc; a moment.
[[nodiscard]] std::set<std::string> configured_control_sockets();

}  // namespace tunnel::cli
