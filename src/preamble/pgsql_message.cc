// SPDX-License-Identifier: MIT
#include "preamble/pgsql_message.h"

#include "base/text.h"

namespace tunnel::preamble {
namespace {

constexpr std::size_t kHeader = 5;
// libpq's own limit for what it takes before the login.
constexpr std::size_t kLongest = 30'000;

}  // namespace

void PgsqlCollector::append(Bytes bytes) { bytes_ += as_text(bytes); }

PgsqlCollector::Next PgsqlCollector::next() {
  if (bytes_.size() < kHeader) return {.status = Status::more};
  std::size_t length = 0;
  for (std::size_t i = 1; i < kHeader; ++i) {
    length = length << 8 | static_cast<unsigned char>(bytes_[i]);
  }
  if (length < 4 || length > kLongest) return {.status = Status::bad};
  if (bytes_.size() < 1 + length) return {.status = Status::more};
  Next next{.status = Status::message,
            .message = {.type = bytes_.front(), .payload = bytes_.substr(kHeader, length - 4)}};
  bytes_.erase(0, 1 + length);
  return next;
}

PgsqlError parse_pgsql_error(std::string_view fields) {
  PgsqlError error;
  while (!fields.empty() && fields.front() != '\0') {
    const char type = fields.front();
    const std::size_t end = fields.find('\0', 1);
    if (end == std::string_view::npos) break;
    const std::string_view value = fields.substr(1, end - 1);
    if (type == 'S') error.severity = value;
    if (type == 'C') error.code = value;
    if (type == 'M') error.message = value;
    fields.remove_prefix(end + 1);
  }
  return error;
}

std::string PgsqlError::words() const { return printable(severity + ": " + code + ": " + message); }

std::string pgsql_integer(std::size_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift & 0xff);
  return bytes;
}

}  // namespace tunnel::preamble
