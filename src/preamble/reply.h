// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "preamble/lines.h"

namespace tunnel::preamble {

// A reply of one or more lines that begins with three digits: SMTP (RFC 5321 section 4.2), FTP
// (RFC 959 section 4.2, whose inner lines may say anything), NNTP (RFC 3977 section 3.2). A value.
class Reply {
 public:
  enum class Took { more, complete, malformed };
  Took add(const Lines::Line& line);
  void clear();

  [[nodiscard]] int code() const { return code_; }
  // Its text for people: the code, then the text of every line, printable and cut.
  [[nodiscard]] std::string words() const;
  // A line after the first begins with this word: an EHLO keyword.
  [[nodiscard]] bool has_keyword(std::string_view keyword) const;
  [[nodiscard]] const std::string& raw() const { return raw_; }

 private:
  int code_ = 0;
  std::string raw_;  // as it came
};

}  // namespace tunnel::preamble
