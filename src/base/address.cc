// SPDX-License-Identifier: MIT
#include "base/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace tunnel {
namespace {

// RFC 4291, 2.5.5.2: ::ffff:0:0/96.
constexpr int kMappedPrefix = 96;
bool is_mapped_v4(const in6_addr& address) { return IN6_IS_ADDR_V4MAPPED(&address); }

// The zone of a link-local address: an interface name or number; 0 when there is no such interface.
std::uint32_t parse_zone(std::string_view zone) {
  std::uint32_t index = 0;
  const auto [end, error] = std::from_chars(zone.data(), zone.data() + zone.size(), index);
  if (error == std::errc() && end == zone.data() + zone.size()) return index;
  return ::if_nametoindex(std::string(zone).c_str());
}

bool equal_bits(const std::uint8_t* a, const std::uint8_t* b, int bits) {
  const int whole = bits / 8;
  if (std::memcmp(a, b, static_cast<std::size_t>(whole)) != 0) return false;
  const int rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
  return (a[whole] & mask) == (b[whole] & mask);
}

}  // namespace

SocketAddress SocketAddress::v4(const in_addr& ip, std::uint16_t port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v4.sin_addr = ip;
  SocketAddress result;
  result.storage_.v4 = v4;
  result.length_ = sizeof(sockaddr_in);
  return result;
}

std::optional<SocketAddress> SocketAddress::parse_ip(std::string_view ip, std::uint16_t port) {
  const std::string text(ip);
  in_addr v4{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1 && text.size() == ip.size() &&
      text.find('\0') == std::string::npos) {
    return SocketAddress::v4(v4, port);
  }
  sockaddr_in6 v6{};
  const std::size_t percent = text.find('%');
  if (text.find('\0') != std::string::npos ||
      ::inet_pton(AF_INET6, text.substr(0, percent).c_str(), &v6.sin6_addr) != 1) {
    return std::nullopt;
  }
  if (percent != std::string::npos) {
    v6.sin6_scope_id = parse_zone(std::string_view(text).substr(percent + 1));
    if (v6.sin6_scope_id == 0) return std::nullopt;
  }
  if (is_mapped_v4(v6.sin6_addr)) {
    in_addr inner{};
    std::memcpy(&inner, v6.sin6_addr.s6_addr + kMappedPrefix / 8, sizeof inner);
    return SocketAddress::v4(inner, port);
  }
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  SocketAddress result;
  result.storage_.v6 = v6;
  result.length_ = sizeof(sockaddr_in6);
  return result;
}

SocketAddress SocketAddress::loopback_v4(std::uint16_t port) {
  return *parse_ip("127.0.0.1", port);
}
SocketAddress SocketAddress::loopback_v6(std::uint16_t port) { return *parse_ip("::1", port); }
SocketAddress SocketAddress::any_v4(std::uint16_t port) { return *parse_ip("0.0.0.0", port); }
SocketAddress SocketAddress::any_v6(std::uint16_t port) { return *parse_ip("::", port); }

Result<SocketAddress> SocketAddress::unix_path(std::string_view path) {
  sockaddr_un un{};
  const bool is_abstract = path.starts_with('@');
  // A path in the file system needs its terminating zero, an abstract name does not.
  const std::size_t limit = is_abstract ? sizeof un.sun_path : sizeof un.sun_path - 1;
  if (path.size() > limit) {
    return failed(ErrorCode::invalid, "the socket path is longer than " + std::to_string(limit) +
                                          " bytes, which is all that a unix socket can have");
  }
  if (path.size() <= 1 || path.find('\0') != std::string_view::npos) {
    return failed(ErrorCode::invalid, "this is not a socket path");
  }
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.data(), path.size());
  if (is_abstract) un.sun_path[0] = '\0';
  SocketAddress result;
  result.storage_.un = un;
  result.length_ =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (is_abstract ? 0 : 1));
  return result;
}

SocketAddress SocketAddress::from(const sockaddr* address, socklen_t length) {
  SocketAddress result;
  length = std::min<socklen_t>(length, sizeof result.storage_);
  std::memcpy(static_cast<void*>(&result.storage_), address, length);
  result.length_ = length;
  return result;
}

bool SocketAddress::is_loopback() const {
  switch (family()) {
    case AF_UNIX:
      return true;
    case AF_INET:
      return (ntohl(storage_.v4.sin_addr.s_addr) >> 24) == 127;
    case AF_INET6:
      return IN6_IS_ADDR_LOOPBACK(&storage_.v6.sin6_addr) ||
             (is_mapped_v4(storage_.v6.sin6_addr) && storage_.v6.sin6_addr.s6_addr[12] == 127);
    default:
      return false;
  }
}

bool SocketAddress::is_any() const {
  if (family() == AF_INET) return storage_.v4.sin_addr.s_addr == INADDR_ANY;
  return family() == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&storage_.v6.sin6_addr);
}

std::uint16_t SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(storage_.v4.sin_port);
  return family() == AF_INET6 ? ntohs(storage_.v6.sin6_port) : std::uint16_t{0};
}

void SocketAddress::set_port(std::uint16_t port) {
  if (family() == AF_INET) storage_.v4.sin_port = htons(port);
  if (family() == AF_INET6) storage_.v6.sin6_port = htons(port);
}

std::string SocketAddress::ip() const {
  char buffer[INET6_ADDRSTRLEN] = {};
  switch (family()) {
    case AF_INET:
      return ::inet_ntop(AF_INET, &storage_.v4.sin_addr, buffer, sizeof buffer);
    case AF_INET6: {
      std::string text = ::inet_ntop(AF_INET6, &storage_.v6.sin6_addr, buffer, sizeof buffer);
      if (storage_.v6.sin6_scope_id != 0) {
        char name[IF_NAMESIZE] = {};
        text += '%';
        text += ::if_indextoname(storage_.v6.sin6_scope_id, name) != nullptr
                    ? std::string(name)
                    : std::to_string(storage_.v6.sin6_scope_id);
      }
      return text;
    }
    case AF_UNIX: {
      const std::size_t size = length_ - offsetof(sockaddr_un, sun_path);
      if (length_ <= offsetof(sockaddr_un, sun_path)) return "unix";  // an unnamed client
      if (storage_.un.sun_path[0] == '\0') {
        return "@" + std::string(storage_.un.sun_path + 1, size - 1);
      }
      return std::string(storage_.un.sun_path, ::strnlen(storage_.un.sun_path, size));
    }
    default:
      return "";
  }
}

std::string SocketAddress::to_string() const {
  if (family() == AF_INET) return ip() + ":" + std::to_string(port());
  if (family() == AF_INET6) return "[" + ip() + "]:" + std::to_string(port());
  return ip();
}

socklen_t SocketAddress::length() const { return length_; }

bool operator==(const SocketAddress& a, const SocketAddress& b) { return (a <=> b) == 0; }

std::strong_ordering operator<=>(const SocketAddress& a, const SocketAddress& b) {
  if (a.length_ != b.length_) return a.length_ <=> b.length_;
  return std::memcmp(&a.storage_, &b.storage_, a.length_) <=> 0;
}

Result<Cidr> Cidr::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = SocketAddress::parse_ip(text.substr(0, slash), 0);
  if (!address) {
    return failed(ErrorCode::invalid,
                  "\"" + std::string(text) +
                      "\" is not an address range; write it like \"10.0.0.0/8\" or "
                      "\"2001:db8::/32\"");
  }
  Cidr result;
  result.v6_ = address->family() == AF_INET6;
  const bool is_mapped = !result.v6_ && text.find(':') != std::string_view::npos;
  const int least = is_mapped ? kMappedPrefix : 0;
  const int widest = result.v6_ || is_mapped ? 128 : 32;
  int prefix = widest;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (error != std::errc() || end != digits.data() + digits.size() || prefix < least ||
        prefix > widest) {
      return failed(ErrorCode::invalid, "the prefix length after \"/\" must be between " +
                                            std::to_string(least) + " and " +
                                            std::to_string(widest));
    }
  }
  result.prefix_ = static_cast<std::uint8_t>(prefix - least);
  if (result.v6_) {
    std::memcpy(result.bytes_, &reinterpret_cast<const sockaddr_in6*>(address->get())->sin6_addr,
                16);
  } else {
    std::memcpy(result.bytes_, &reinterpret_cast<const sockaddr_in*>(address->get())->sin_addr, 4);
  }
  return result;
}

bool Cidr::contains(const SocketAddress& address) const {
  if (address.family() == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in*>(address.get())->sin_addr;
    return !v6_ && equal_bits(bytes_, reinterpret_cast<const std::uint8_t*>(&v4), prefix_);
  }
  if (address.family() != AF_INET6) return false;
  const auto& v6 = reinterpret_cast<const sockaddr_in6*>(address.get())->sin6_addr;
  if (is_mapped_v4(v6) && !v6_) return equal_bits(bytes_, v6.s6_addr + 12, prefix_);
  return v6_ && equal_bits(bytes_, v6.s6_addr, prefix_);
}

std::string Cidr::to_string() const {
  char buffer[INET6_ADDRSTRLEN] = {};
  return std::string(::inet_ntop(v6_ ? AF_INET6 : AF_INET, bytes_, buffer, sizeof buffer)) + "/" +
         std::to_string(prefix_);
}

namespace {

Result<std::uint16_t> parse_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool all_read = end == text.data() + text.size();
  if (error == std::errc() && all_read && port <= 65535) return static_cast<std::uint16_t>(port);
  const bool is_number = !text.empty() && std::all_of(text.begin(), text.end(),
                                                      [](char c) { return c >= '0' && c <= '9'; });
  if (is_number) {
    return failed(ErrorCode::invalid,
                  "port " + std::string(text) + " is out of range; ports go up to 65535");
  }
  servent entry{};
  servent* found = nullptr;
  char buffer[2048];
  if (!text.empty() &&
      ::getservbyname_r(std::string(text).c_str(), "tcp", &entry, buffer, sizeof buffer, &found) ==
          0 &&
      found != nullptr) {
    return ntohs(static_cast<std::uint16_t>(found->s_port));
  }
  return failed(
      ErrorCode::invalid,
      "\"" + std::string(text) + "\" is neither a port number nor a service name of /etc/services");
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text) {
  HostPort result;
  std::string_view port = text;
  if (text.starts_with('[')) {
    const std::size_t close = text.find("]:");
    if (close == std::string_view::npos) {
      return failed(ErrorCode::invalid, "an IPv6 address with a port is written \"[::1]:636\"");
    }
    result.host = text.substr(1, close - 1);
    result.bracketed = true;
    if (const auto ip = SocketAddress::parse_ip(result.host, 0); !ip || ip->family() != AF_INET6) {
      return failed(ErrorCode::invalid,
                    "\"" + result.host + "\" in brackets is not an IPv6 address");
    }
    port = text.substr(close + 2);
  } else if (const std::size_t colon = text.rfind(':'); colon != std::string_view::npos) {
    if (text.find(':') != colon) {
      return failed(ErrorCode::invalid, "an IPv6 address needs brackets, as in \"[" +
                                            std::string(text.substr(0, colon)) +
                                            "]:" + std::string(text.substr(colon + 1)) + "\"");
    }
    if (colon == 0) return failed(ErrorCode::invalid, "the host before \":\" is missing");
    result.host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  const auto number = parse_port(port);
  if (!number) return tl::make_unexpected(number.error());
  result.port = *number;
  return result;
}

}  // namespace tunnel
