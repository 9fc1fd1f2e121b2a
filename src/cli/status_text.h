// SPDX-License-Identifier: MIT
// Status for people, from the JSON that the instance answers with: readable at 80 columns. Pure.
#pragma once

#include <string>

#include "admin/protocol.h"

namespace tunnel::cli {

// All of it: the instance, its services with their targets, connections if they are listed,
// overrides, the last reload, the last problems.
[[nodiscard]] std::string status_text(const admin::Json& status);

// A line of the list of connections, and what stands above it.
inline constexpr const char* kConnectionHead =
    "connection       client                 phase        age   idle       up     down";
[[nodiscard]] std::string connection_line(const admin::Json& connection);

}  // namespace tunnel::cli
