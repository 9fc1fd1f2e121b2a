// SPDX-License-Identifier: MIT
// The PROXY protocol's header, versions 1 (text) and 2 (binary), as HAProxy's proxy-protocol.txt
// defines them.
#include <arpa/inet.h>

#include <cstring>

#include "preamble/proxies.h"

namespace tunnel::preamble {
namespace {

constexpr std::string_view kUnknownV1 = "PROXY UNKNOWN\r\n";
constexpr std::string_view kSignatureV2{"\r\n\r\n\0\r\nQUIT\n", 12};
// The version in the upper half of the byte, the command in the lower; then family and transport.
constexpr char kLocalV2 = 0x20;
constexpr char kProxyV2 = 0x21;
constexpr char kTcp4V2 = 0x11;
constexpr char kTcp6V2 = 0x21;

// An end of the connection as 16 bytes of IPv6 (IPv4 mapped into it), because both ends of a header
// must be of one family.
struct Endpoint {
  std::string ip;
  std::uint16_t port = 0;
  [[nodiscard]] bool is_v4() const {
    return ip.starts_with(std::string_view{"\0\0\0\0\0\0\0\0\0\0\xff\xff", 12});
  }
};

Endpoint endpoint_of(const SocketAddress& address) {
  Endpoint end;
  end.port = address.port();
  if (address.family() == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address.get());
    end.ip.assign("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    end.ip.append(reinterpret_cast<const char*>(&v4->sin_addr), sizeof v4->sin_addr);
  } else {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address.get());
    end.ip.assign(reinterpret_cast<const char*>(&v6->sin6_addr), sizeof v6->sin6_addr);
  }
  return end;
}

std::string text_of(const Endpoint& end, bool as_v4) {
  char text[INET6_ADDRSTRLEN] = {};
  const char* bytes = end.ip.data() + (as_v4 ? 12 : 0);
  (void)inet_ntop(as_v4 ? AF_INET : AF_INET6, bytes, text, sizeof text);
  return text;
}

std::string binary_port(std::uint16_t port) {
  return {static_cast<char>(port >> 8), static_cast<char>(port & 0xff)};
}

std::string header_v2(char command, char family, std::string_view addresses) {
  std::string header(kSignatureV2);
  header += command;
  header += family;
  header += binary_port(static_cast<std::uint16_t>(addresses.size()));
  header += addresses;
  return header;
}

}  // namespace

std::string proxy_header(config::SendProxy version, const SocketAddress& client,
                         const SocketAddress& accepted) {
  const bool is_v1 = version == config::SendProxy::v1;
  if (version == config::SendProxy::none) return {};
  // A client of a unix socket has no name worth telling, and version 2's own form for such sockets
  // is one that nobody reads: HAProxy calls it invalid and nginx before 1.23 too long, and both
  // hang up.
  if (!client.is_ip() || !accepted.is_ip()) {
    return is_v1 ? std::string(kUnknownV1) : header_v2(kLocalV2, 0, "");
  }
  const Endpoint from = endpoint_of(client);
  const Endpoint to = endpoint_of(accepted);
  const bool as_v4 = from.is_v4() && to.is_v4();
  if (is_v1) {
    return std::string(as_v4 ? "PROXY TCP4 " : "PROXY TCP6 ") + text_of(from, as_v4) + " " +
           text_of(to, as_v4) + " " + std::to_string(from.port) + " " + std::to_string(to.port) +
           "\r\n";
  }
  const std::size_t skip = as_v4 ? 12 : 0;
  return header_v2(
      kProxyV2, as_v4 ? kTcp4V2 : kTcp6V2,
      from.ip.substr(skip) + to.ip.substr(skip) + binary_port(from.port) + binary_port(to.port));
}

}  // namespace tunnel::preamble
