// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "preamble/lines.h"

namespace tunnel::preamble {

// A reply of one or more lines that begins with three digits. A value.
class Reply {
 public:
  // Where a reply ends is decided here exactly as the application decides it: what it would take
  // for the beginning of another reply makes this one malformed. Otherwise an answer to a question
  // that it has not asked yet could hide in a greeting, which comes in the clear.
  enum class Form {
    coded,   // each line begins with the code and '-' or ' ': SMTP (RFC 5321 section 4.2)
    single,  // one line: NNTP (RFC 3977 section 3.2)
    framed,  // the first and the last line do; those between say anything but another code: FTP
             // (RFC 959 section 4.2)
  };
  explicit Reply(Form form) : form_(form) {}

  enum class Took { more, complete, malformed };
  Took add(const Lines::Line& line);
  void clear();

  [[nodiscard]] bool is_begun() const { return code_ != 0; }
  [[nodiscard]] int code() const { return code_; }
  // Its text for people: the code, then the text of every line, printable and cut.
  [[nodiscard]] std::string words() const;
  // A line after the first begins with this word: an EHLO keyword.
  [[nodiscard]] bool has_keyword(std::string_view keyword) const;
  // The lines as they were understood, to be passed on: see as_understood().
  [[nodiscard]] const std::string& lines() const { return lines_; }

 private:
  Form form_;
  int code_ = 0;
  std::string raw_;  // as it came
  std::string lines_;
};

}  // namespace tunnel::preamble
