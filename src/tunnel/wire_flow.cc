// SPDX-License-Identifier: MIT
#include "tunnel/wire_flow.h"

#include <sys/socket.h>

#include <utility>

namespace tunnel {
namespace {

SocketAddress address_of(int fd, int (*ask)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  return ask(fd, address, &length) == 0 ? SocketAddress::from(address, length) : SocketAddress();
}

}  // namespace

SocketAddress target_address(const uv::Stream* stream) {
  const SocketAddress address =
      stream != nullptr ? address_of(stream->fd(), ::getpeername) : SocketAddress();
  return address.is_ip() ? address : SocketAddress::loopback_v4(kNoPort);
}

std::string name_of_target(const std::string& target) {
  const std::string host = target.substr(0, target.rfind(':'));
  if (host.empty() || host.find_first_of("/[]") != std::string::npos) return {};
  return SocketAddress::parse_ip(host, 0) ? std::string() : host;
}

capture::Flow wire_flow(const uv::Stream& stream, std::string service, const std::string& target,
                        std::string comment) {
  SocketAddress local = address_of(stream.fd(), ::getsockname);
  // Two streams at the same time need two ports, or a reader takes them for one.
  if (!local.is_ip()) {
    local = SocketAddress::loopback_v4(static_cast<std::uint16_t>(1024 + stream.fd() % 64'512));
  }
  return {.service = std::move(service),
          .client = local,
          .target = target_address(&stream),
          .target_name = name_of_target(target),
          .comment = std::move(comment)};
}

}  // namespace tunnel
