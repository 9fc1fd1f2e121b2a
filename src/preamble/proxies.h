// SPDX-License-Identifier: MIT
// The conversations that come before STARTTLS: reaching the target through a proxy, and telling it
// whose connection this is.
#pragma once

#include <memory>
#include <string>

#include "config/model.h"
#include "preamble/talk.h"

namespace tunnel::preamble {

// HTTP CONNECT (RFC 9110 section 9.3.6) and SOCKS5 (RFC 1928, RFC 1929) to host:port.
[[nodiscard]] std::unique_ptr<Conversation> http_connect(const config::Proxy& proxy,
                                                         std::string host, std::uint16_t port);
[[nodiscard]] std::unique_ptr<Conversation> socks5_connect(const config::Proxy& proxy,
                                                           std::string host, std::uint16_t port);

// The PROXY protocol's header for a client that connected to `accepted`. Without an IP
// address to tell (a health check, standard input, a unix socket) it says that the connection is
// the sender's own, so that the target takes our address for the client's.
[[nodiscard]] std::string proxy_header(config::SendProxy version, const SocketAddress& client,
                                       const SocketAddress& accepted);

// "host:port", with brackets around an IPv6 address.
[[nodiscard]] std::string authority(std::string_view host, std::uint16_t port);

}  // namespace tunnel::preamble
