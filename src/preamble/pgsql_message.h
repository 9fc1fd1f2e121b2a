// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace tunnel::preamble {

// PostgreSQL's messages ("Frontend/Backend Protocol", Message Formats), as far as a start-up is
// concerned: a type, four bytes of length that count themselves, and the payload.
struct PgsqlMessage {
  char type = 0;
  std::string payload;
};

// Collects what a server says, message by message. A value.
class PgsqlCollector {
 public:
  enum class Status : std::uint8_t { message, more, bad };
  struct Next {
    Status status = Status::more;
    PgsqlMessage message{};
  };
  void append(Bytes bytes);
  // `bad` where the length makes no sense: this is another protocol.
  [[nodiscard]] Next next();
  [[nodiscard]] std::string_view rest() const { return bytes_; }

 private:
  std::string bytes_;
};

// An ErrorResponse. Its words are an unauthenticated server's: printable, and a quotation.
struct PgsqlError {
  std::string severity;
  std::string code;  // SQLSTATE, "53300"
  std::string message;
  // "FATAL: 53300: sorry, too many clients already".
  [[nodiscard]] std::string words() const;
};
[[nodiscard]] PgsqlError parse_pgsql_error(std::string_view payload);

// `number` as four bytes, the first the highest.
[[nodiscard]] std::string pgsql_integer(std::size_t number);

}  // namespace tunnel::preamble
