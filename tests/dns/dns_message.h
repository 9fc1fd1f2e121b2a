// SPDX-License-Identifier: MIT
#pragma once

#include <arpa/inet.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

// Builds DNS messages, right and wrong ones.
namespace tunnel::dns::testing {

inline constexpr std::uint16_t kA = 1;
inline constexpr std::uint16_t kCname = 5;
inline constexpr std::uint16_t kAaaa = 28;
inline constexpr std::uint16_t kSrv = 33;

inline std::string u16(unsigned value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}
inline std::string u32(std::uint32_t value) { return u16(value >> 16) + u16(value & 0xffff); }

// "a.example" as labels; "" is the root.
inline std::string wire_name(std::string_view name) {
  std::string wire;
  while (!name.empty()) {
    const std::size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    wire += static_cast<char>(label.size());
    wire += label;
    name.remove_prefix(dot == std::string_view::npos ? name.size() : dot + 1);
  }
  return wire + '\0';
}

inline std::string v4(const char* text) {
  std::string data(4, '\0');
  (void)::inet_pton(AF_INET, text, data.data());
  return data;
}
inline std::string v6(const char* text) {
  std::string data(16, '\0');
  (void)::inet_pton(AF_INET6, text, data.data());
  return data;
}
inline std::string srv(unsigned priority, unsigned weight, unsigned port,
                       std::string_view wire_target) {
  return u16(priority) + u16(weight) + u16(port) + std::string(wire_target);
}

// A reply with one question. Records are owned by the question's name (a pointer to offset 12).
struct Reply {
  std::string id = u16(0x1234);
  std::string question;  // as it came, name, type and class
  unsigned flags = 0x8180;
  unsigned count = 0;
  std::string records;

  static Reply to(std::string_view name, std::uint16_t type) {
    Reply reply;
    reply.question = wire_name(name) + u16(type) + u16(1);
    return reply;
  }
  Reply& code(unsigned response_code) {
    flags |= response_code;
    return *this;
  }
  Reply& truncated() {
    flags |= 0x0200;
    return *this;
  }
  Reply& add(std::uint16_t type, std::uint32_t ttl, std::string_view data,
             std::string_view owner = "\xc0\x0c") {
    records += std::string(owner) + u16(type) + u16(1) + u32(ttl) +
               u16(static_cast<unsigned>(data.size())) + std::string(data);
    ++count;
    return *this;
  }
  [[nodiscard]] std::string bytes() const {
    return id + u16(flags) + u16(1) + u16(count) + u32(0) + question + records;
  }
};

}  // namespace tunnel::dns::testing
