// SPDX-License-Identifier: MIT
#include "preamble/mysql_packet.h"

#include "base/text.h"

namespace tunnel::preamble {

std::uint32_t mysql_integer(std::string_view bytes, std::size_t offset, int size) {
  std::uint32_t value = 0;
  for (int i = 0; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[offset + static_cast<std::size_t>(i)]);
    value |= static_cast<std::uint32_t>(byte) << (8 * i);
  }
  return value;
}

std::string mysql_packet(std::uint8_t sequence, std::string_view payload) {
  std::string packet;
  for (int i = 0; i < 3; ++i) packet += static_cast<char>(payload.size() >> (8 * i) & 0xff);
  packet += static_cast<char>(sequence);
  packet += payload;
  return packet;
}

std::string mysql_error_packet(std::uint8_t sequence, std::uint32_t code, std::string_view state,
                               std::string_view message) {
  std::string payload = "\xff";
  payload += static_cast<char>(code & 0xff);
  payload += static_cast<char>(code >> 8 & 0xff);
  payload += '#';
  payload += state;
  payload += message;
  return mysql_packet(sequence, payload);
}

void MysqlCollector::append(Bytes bytes) { bytes_ += as_text(bytes); }

bool MysqlCollector::is_too_long() const {
  return bytes_.size() >= kMysqlHeader && mysql_integer(bytes_, 0, 3) > limit_;
}

std::optional<MysqlPacket> MysqlCollector::next() {
  if (bytes_.size() < kMysqlHeader || is_too_long()) return std::nullopt;
  const std::size_t size = mysql_integer(bytes_, 0, 3);
  if (bytes_.size() < kMysqlHeader + size) return std::nullopt;
  MysqlPacket packet;
  packet.sequence = static_cast<std::uint8_t>(bytes_[3]);
  packet.payload = bytes_.substr(kMysqlHeader, size);
  bytes_.erase(0, kMysqlHeader + size);
  return packet;
}

std::optional<std::size_t> mysql_capabilities_offset(std::string_view greeting) {
  // Protocol 10: version ending in NUL, then what is skipped below, then the lower half of the
  // flags. What follows differs between versions and is not needed.
  if (greeting.empty() || greeting.front() != '\x0a') return std::nullopt;
  const std::size_t version_end = greeting.find('\0');
  if (version_end == std::string_view::npos) return std::nullopt;
  // Thread ID, first part of the scramble, a filler of one byte.
  const std::size_t offset = version_end + 1 + 4 + 8 + 1;
  if (greeting.size() < offset + 2) return std::nullopt;
  return offset;
}

std::uint32_t mysql_error_code(std::string_view payload) {
  return payload.size() < 3 ? 0 : mysql_integer(payload, 1, 2);
}

std::string mysql_error_text(std::string_view payload) {
  std::string text = std::to_string(mysql_error_code(payload));
  payload.remove_prefix(payload.size() < 3 ? payload.size() : 3);
  if (payload.starts_with('#') && payload.size() >= 6) {
    text += " (" + std::string(payload.substr(1, 5)) + ")";
    payload.remove_prefix(6);
  }
  return printable(text + " " + std::string(payload));
}

}  // namespace tunnel::preamble
