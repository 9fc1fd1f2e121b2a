// SPDX-License-Identifier: MIT
#include "capture/segment.h"

#include <array>
#include <cstring>

namespace tunnel::capture {
namespace {

constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;
constexpr std::size_t kTcpHeader = 20;
constexpr std::size_t kSynOptions = 8;
constexpr std::uint8_t kTcp = 6;
// With the scale a gigabyte: nobody is ever found to have filled it.
constexpr std::uint16_t kWindow = 65'535;
constexpr std::uint8_t kWindowScale = 14;

void put8(std::string& out, unsigned value) { out += static_cast<char>(value); }
void put16(std::string& out, unsigned value) {
  put8(out, value >> 8U);
  put8(out, value & 255U);
}
void put32(std::string& out, std::uint32_t value) {
  put16(out, value >> 16U);
  put16(out, value & 65'535U);
}
void set16(std::string& out, std::size_t at, unsigned value) {
  out[at] = static_cast<char>(value >> 8U);
  out[at + 1] = static_cast<char>(value & 255U);
}

std::uint64_t sum_of_halves(std::uint64_t word) { return (word & UINT32_MAX) + (word >> 32U); }

// RFC 1071, on words as they lie in memory: the sum of swapped words is the swapped sum. Four sums
// side by side, or each addition would wait for the one before.
std::uint64_t sum(Bytes octets) {
  std::array<std::uint64_t, 4> totals{};
  std::array<std::uint64_t, 4> words{};
  for (; octets.size() >= sizeof words; octets = octets.subspan(sizeof words)) {
    std::memcpy(words.data(), octets.data(), sizeof words);
    for (std::size_t i = 0; i < words.size(); ++i) totals[i] += sum_of_halves(words[i]);
  }
  words = {};
  if (!octets.empty()) std::memcpy(words.data(), octets.data(), octets.size());
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < words.size(); ++i) total += totals[i] + sum_of_halves(words[i]);
  return total;
}

std::uint16_t checksum(std::uint64_t total) {
  while (total >> 16U != 0) total = (total & 65'535U) + (total >> 16U);
  const auto folded = static_cast<std::uint16_t>(~total);
  return static_cast<std::uint16_t>((folded << 8U) | (folded >> 8U));
}

bool is_ipv4(const SocketAddress& address) { return address.family() == AF_INET; }

std::string as_ipv6(const SocketAddress& address) {
  if (!is_ipv4(address)) return octets_of(address);
  // ::ffff:0:0/96, the IPv4-mapped addresses (RFC 4291, section 2.5.5.2).
  std::string mapped(10, '\0');
  mapped += "\xff\xff";
  return mapped + octets_of(address);
}

// Both addresses as they are in the header and in TCP's checksum.
struct Ends {
  bool is_v4;
  std::string source;
  std::string destination;
};

Ends ends_of(const SocketAddress& from, const SocketAddress& to) {
  if (is_ipv4(from) && is_ipv4(to)) return {true, octets_of(from), octets_of(to)};
  return {false, as_ipv6(from), as_ipv6(to)};
}

void append_ip(const Ends& ends, std::size_t length, std::string& out) {
  if (!ends.is_v4) {
    put32(out, 0x60000000);
    put16(out, static_cast<unsigned>(length));
    put8(out, kTcp);
    put8(out, 64);
    out += ends.source + ends.destination;
    return;
  }
  const std::size_t at = out.size();
  put8(out, 0x45);
  put8(out, 0);
  put16(out, static_cast<unsigned>(kIpv4Header + length));
  put16(out, 0);
  put16(out, 0x4000);  // don't fragment
  put8(out, 64);
  put8(out, kTcp);
  put16(out, 0);
  out += ends.source + ends.destination;
  set16(out, at + 10, checksum(sum(as_bytes(std::string_view(out).substr(at)))));
}

}  // namespace

std::string octets_of(const SocketAddress& address) {
  if (is_ipv4(address)) {
    const auto& v4 = *reinterpret_cast<const sockaddr_in*>(address.get());
    return {reinterpret_cast<const char*>(&v4.sin_addr), 4};
  }
  const auto& v6 = *reinterpret_cast<const sockaddr_in6*>(address.get());
  return {reinterpret_cast<const char*>(&v6.sin6_addr), 16};
}

std::size_t Segment::header_size() const {
  const bool is_v4 = is_ipv4(from) && is_ipv4(to);
  return (is_v4 ? kIpv4Header : kIpv6Header) + kTcpHeader + ((flags & syn) != 0 ? kSynOptions : 0);
}

void Segment::append_to(std::string& out) const {
  const Ends ends = ends_of(from, to);
  const std::size_t options = (flags & syn) != 0 ? kSynOptions : 0;
  const std::size_t length = kTcpHeader + options + original;
  append_ip(ends, length, out);
  const std::size_t tcp_at = out.size();
  append_tcp(options, out);
  if (payload.size() == original) {
    // The pseudo header, in IPv6's layout (RFC 8200, section 8.1). For IPv4 it has the same sum:
    // only zeros differ.
    std::string pseudo = ends.source + ends.destination;
    put32(pseudo, static_cast<std::uint32_t>(length));
    put32(pseudo, kTcp);
    set16(out, tcp_at + 16,
          checksum(sum(as_bytes(pseudo)) + sum(as_bytes(std::string_view(out).substr(tcp_at))) +
                   sum(payload)));
  }
  out.append(as_text(payload));
}

// The header, with the checksum still to be set.
void Segment::append_tcp(std::size_t options, std::string& out) const {
  put16(out, from.port());
  put16(out, to.port());
  put32(out, sequence);
  put32(out, acknowledged);
  put8(out, static_cast<unsigned>((kTcpHeader + options) / 4) << 4U);
  put8(out, flags);
  put16(out, kWindow);
  put16(out, 0);
  put16(out, 0);
  if (options == 0) return;
  put8(out, 2);  // maximum segment size
  put8(out, 4);
  // As long as any segment that is made here, so that a reader finds none of them too long.
  put16(out, kLongestPayload);
  put8(out, 3);  // window scale
  put8(out, 3);
  put8(out, kWindowScale);
  put8(out, 0);
}

}  // namespace tunnel::capture
