// SPDX-License-Identifier: MIT
#include "uv/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace tunnel::uv {
namespace {

bool is(const config::SocketOption& option, int level, int number) {
  return option.level == level && option.number == number;
}

bool applies(const config::SocketOption& option, int family) {
  if (is(option, SOL_SOCKET, SO_LINGER)) return false;
  if (family == AF_UNIX) {
    return option.level == SOL_SOCKET && option.number != SO_BINDTODEVICE;
  }
  return option.level != IPPROTO_IPV6 || family == AF_INET6;
}

int set(int fd, int level, int number, const std::string& value) {
  return ::setsockopt(fd, level, number, value.data(), static_cast<socklen_t>(value.size()));
}

// On an IPv6 socket the kernel takes the options of IPv4, too, but only for packets to mapped
// addresses: those of IPv6 are what is meant.
int set(int fd, int family, const config::SocketOption& option) {
  if (family == AF_INET6 && is(option, IPPROTO_IP, IP_TOS)) {
    return set(fd, IPPROTO_IPV6, IPV6_TCLASS, option.value);
  }
  if (family == AF_INET6 && is(option, IPPROTO_IP, IP_TTL)) {
    return set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, option.value);
  }
  return set(fd, option.level, option.number, option.value);
}

}  // namespace

std::vector<std::string> set_socket_options(int fd, int family,
                                            std::span<const config::SocketOption> options) {
  std::vector<std::string> refused;
  for (const config::SocketOption& option : options) {
    if (!applies(option, family) || set(fd, family, option) == 0) continue;
    refused.push_back("cannot set " + option.name + " = " + option.text + ": " +
                      std::strerror(errno));
  }
  return refused;
}

void restore_socket_options(int fd, std::span<const config::SocketOption> options) {
  for (const config::SocketOption& option : options) {
    // To be kept in step with Stream::set_nodelay and set_keepalive.
    const bool is_ours =
        is(option, SOL_SOCKET, SO_KEEPALIVE) || is(option, IPPROTO_TCP, TCP_NODELAY) ||
        is(option, IPPROTO_TCP, TCP_KEEPIDLE) || is(option, IPPROTO_TCP, TCP_KEEPINTVL) ||
        is(option, IPPROTO_TCP, TCP_KEEPCNT);
    if (is_ours) (void)set(fd, option.level, option.number, option.value);
  }
}

}  // namespace tunnel::uv
