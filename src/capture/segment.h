// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "base/address.h"
#include "base/bytes.h"

namespace tunnel::capture {

// One made-up IP packet with a TCP segment, as two hosts would have sent it: what passed through a
// stream, for tools that read packets. Both addresses are IP addresses; of two families, both are
// written as IPv6. A value; the references must outlive it.
struct Segment {
  enum Flags : std::uint8_t { fin = 1, syn = 2, rst = 4, psh = 8, ack = 16 };

  const SocketAddress& from;
  const SocketAddress& to;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledged = 0;
  std::uint8_t flags = 0;
  Bytes payload{};
  std::size_t original =
      0;  // octets that the payload had; more than `payload` when only its head is kept

  // The longest payload: IPv4's total length has 16 bits.
  static constexpr std::size_t kLongestPayload = 65'495;

  [[nodiscard]] std::size_t header_size() const;
  // With correct checksums, unless the payload is not whole.
  void append_to(std::string& out) const;

 private:
  void append_tcp(std::size_t options, std::string& out) const;
};

// 4 octets of an IPv4 address, 16 of an IPv6 one.
[[nodiscard]] std::string octets_of(const SocketAddress& address);

}  // namespace tunnel::capture
