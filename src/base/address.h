// SPDX-License-Identifier: MIT
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tunnel {

// A numeric socket address: IPv4, IPv6 or unix. A value; any thread.
class SocketAddress {
 public:
  SocketAddress() = default;  // AF_UNSPEC

  // "10.0.0.1", "::1", "fe80::1%eth0"; no brackets, no port, no names. "::ffff:10.0.0.1"
  // is 10.0.0.1.
  static std::optional<SocketAddress> parse_ip(std::string_view ip, std::uint16_t port);
  static SocketAddress loopback_v4(std::uint16_t port);
  static SocketAddress loopback_v6(std::uint16_t port);
  static SocketAddress any_v4(std::uint16_t port);
  static SocketAddress any_v6(std::uint16_t port);
  // An absolute path, or "@name" for the abstract namespace. Fails when longer than sun_path.
  static Result<SocketAddress> unix_path(std::string_view path);
  static SocketAddress from(const sockaddr* address, socklen_t length);

  [[nodiscard]] int family() const { return storage_.base.sa_family; }
  [[nodiscard]] bool is_unix() const { return family() == AF_UNIX; }
  [[nodiscard]] bool is_ip() const { return family() == AF_INET || family() == AF_INET6; }
  [[nodiscard]] bool is_loopback() const;  // 127/8, ::1, v4-mapped 127/8; unix counts
  [[nodiscard]] bool is_any() const;
  [[nodiscard]] std::uint16_t port() const;  // 0 for unix
  void set_port(std::uint16_t port);
  [[nodiscard]] std::string ip() const;         // "10.0.0.1", "::1"; path for unix
  [[nodiscard]] std::string to_string() const;  // "10.0.0.1:636", "[::1]:636", "/run/x.sock"

  [[nodiscard]] const sockaddr* get() const { return &storage_.base; }
  [[nodiscard]] socklen_t length() const;

  friend bool operator==(const SocketAddress& a, const SocketAddress& b);
  friend std::strong_ordering operator<=>(const SocketAddress& a, const SocketAddress& b);

 private:
  static SocketAddress v4(const in_addr& ip, std::uint16_t port);

  union Storage {
    sockaddr base;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un un;
    Storage() : un{} {}
  } storage_;
  socklen_t length_ = 0;
};

// An address range in CIDR notation: "10.0.0.0/8", "2001:db8::/32", a bare address is a host.
// IPv4-mapped IPv6 addresses match IPv4 ranges, and "::ffff:10.0.0.0/104" is 10.0.0.0/8.
class Cidr {
 public:
  static Result<Cidr> parse(std::string_view text);
  [[nodiscard]] bool contains(const SocketAddress& address) const;
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const Cidr&, const Cidr&) = default;

 private:
  bool v6_ = false;
  std::uint8_t prefix_ = 0;
  std::uint8_t bytes_[16] = {};
};

// "host:port", "[v6]:port", "port" (host empty), split but not resolved.
struct HostPort {
  std::string host;  // without brackets; empty when only a port was given
  std::uint16_t port = 0;
  bool bracketed = false;  // host was an IPv6 address in brackets
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// Service names ("ldaps") are accepted as ports. Port 0 is accepted; the caller decides on it.
[[nodiscard]] Result<HostPort> parse_host_port(std::string_view text);

}  // namespace tunnel
