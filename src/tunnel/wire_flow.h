// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/address.h"
#include "capture/event.h"
#include "uv/stream.h"

namespace tunnel {

// How a capture shows the stream to a target, between its true addresses. A unix socket has none:
// it is shown on the loopback.
[[nodiscard]] capture::Flow wire_flow(const uv::Stream& stream, std::string service,
                                      const std::string& target, std::string comment);

// The other end of a stream; `kNoPort` on the loopback where that is no IP address, or the stream
// is null.
inline constexpr std::uint16_t kNoPort = 9;  // "discard"
[[nodiscard]] SocketAddress target_address(const uv::Stream* stream);
// The host of "dc1.example.com:636", as a reader is to see it in place of the address; empty for an
// address.
[[nodiscard]] std::string name_of_target(const std::string& target);

}  // namespace tunnel
