// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace tunnel::preamble {

// The connection phase of MySQL's and MariaDB's protocol, as far as TLS is concerned. Integers are
// little-endian; a packet is three bytes of length, one of sequence, and the payload.
inline constexpr std::size_t kMysqlHeader = 4;
inline constexpr std::uint32_t kClientConnectWithDb = 0x8;
inline constexpr std::uint32_t kClientProtocol41 = 0x200;
inline constexpr std::uint32_t kClientSsl = 0x800;
inline constexpr std::uint32_t kClientSecureConnection = 0x8000;
inline constexpr std::uint32_t kClientPluginAuth = 0x80000;

[[nodiscard]] std::uint32_t mysql_integer(std::string_view bytes, std::size_t offset, int size);
[[nodiscard]] std::string mysql_packet(std::uint8_t sequence, std::string_view payload);
[[nodiscard]] std::string mysql_error_packet(std::uint8_t sequence, std::uint32_t code,
                                             std::string_view state, std::string_view message);

// Collects one packet. `limit` bounds its payload.
struct MysqlPacket {
  std::uint8_t sequence = 0;
  std::string payload;
};
class MysqlCollector {
 public:
  explicit MysqlCollector(std::size_t limit) : limit_(limit) {}
  void append(Bytes bytes);
  [[nodiscard]] std::optional<MysqlPacket> next();
  [[nodiscard]] bool is_too_long() const;  // the next packet is longer than the limit
  [[nodiscard]] std::string_view rest() const { return bytes_; }

 private:
  const std::size_t limit_;
  std::string bytes_;
};

// Where the lower capability flags stand in a protocol 10 greeting; nullopt when it is none.
[[nodiscard]] std::optional<std::size_t> mysql_capabilities_offset(std::string_view greeting);
// "1040 (08004) Too many connections": the text of an ERR payload (which begins with 0xff).
[[nodiscard]] std::string mysql_error_text(std::string_view payload);
[[nodiscard]] std::uint32_t mysql_error_code(std::string_view payload);

}  // namespace tunnel::preamble
