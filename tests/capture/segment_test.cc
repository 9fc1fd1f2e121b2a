// SPDX-License-Identifier: MIT
#include "capture/segment.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace tunnel::capture {
namespace {

// RFC 1071 as it is written there: 16 bits at a time, in network order.
std::uint16_t sum16(const std::string& octets) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < octets.size(); i += 2) {
    const auto high = static_cast<unsigned char>(octets[i]);
    const auto low = i + 1 < octets.size() ? static_cast<unsigned char>(octets[i + 1]) : 0;
    sum += static_cast<std::uint32_t>(high << 8U | low);
  }
  while (sum >> 16U != 0) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(sum);
}

std::string number(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    text += static_cast<char>(value >> static_cast<unsigned>(shift));
  }
  return text;
}

}  // namespace

TEST_CASE("checksums of IPv4 packets of any length add up to all ones") {
  const auto from = *SocketAddress::parse_ip("10.1.2.3", 40'000);
  const auto to = *SocketAddress::parse_ip("192.0.2.255", 389);
  std::string payload;
  for (int length = 0; length < 70; ++length, payload += static_cast<char>(length * 7 + 250)) {
    CAPTURE(length);
    std::string packet;
    Segment{.from = from,
            .to = to,
            .sequence = 0xfffffff0,
            .acknowledged = 77,
            .flags = Segment::psh | Segment::ack,
            .payload = as_bytes(payload),
            .original = payload.size()}
        .append_to(packet);
    REQUIRE(packet.size() == 40 + payload.size());
    CHECK(sum16(packet.substr(0, 20)) == 0xffff);
    const std::string tcp = packet.substr(20);
    CHECK(sum16(packet.substr(12, 8) + number(6) + number(static_cast<std::uint32_t>(tcp.size())) +
                tcp) == 0xffff);
    CHECK(packet.substr(40) == payload);
  }
}

TEST_CASE("two families become one: IPv4 is written as a mapped IPv6 address") {
  const auto from = *SocketAddress::parse_ip("10.1.2.3", 40'000);
  const auto to = *SocketAddress::parse_ip("2001:db8::1", 389);
  std::string packet;
  const Segment segment{.from = from, .to = to, .flags = Segment::syn};
  segment.append_to(packet);
  CHECK(packet.size() == segment.header_size());
  CHECK((packet[0] & 0xf0) == 0x60);
  CHECK(packet.substr(8, 16) == std::string(10, '\0') + "\xff\xff\x0a\x01\x02\x03");
  const std::string tcp = packet.substr(40);
  CHECK(sum16(packet.substr(8, 32) + number(static_cast<std::uint32_t>(tcp.size())) + number(6) +
              tcp) == 0xffff);
}

TEST_CASE("of a segment of which only the head is kept the headers tell the whole length") {
  const auto from = *SocketAddress::parse_ip("10.1.2.3", 1);
  const auto to = *SocketAddress::parse_ip("10.1.2.4", 2);
  std::string packet;
  Segment{
      .from = from, .to = to, .flags = Segment::ack, .payload = as_bytes("abc"), .original = 300}
      .append_to(packet);
  CHECK(packet.size() == 43);
  CHECK(packet.substr(2, 2) == std::string("\x01\x54", 2));  // 340
}

}  // namespace tunnel::capture
