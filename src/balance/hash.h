// SPDX-License-Identifier: MIT
// Numbers for the policy "hash": the same in every run and process. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/address.h"

namespace tunnel::balance {

// The address of a client as a number; without the port, an IPv4 address and
// its IPv6-mapped form alike. All clients of unix sockets are one.
[[nodiscard]] std::uint64_t client_hash(const SocketAddress& client);
// A string as a number (FNV-1a, mixed).
[[nodiscard]] std::uint64_t text_hash(std::string_view text);

}  // namespace tunnel::balance
