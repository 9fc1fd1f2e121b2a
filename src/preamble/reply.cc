// SPDX-License-Identifier: MIT
#include "preamble/reply.h"

#include <algorithm>

#include "base/text.h"

namespace tunnel::preamble {
namespace {

bool begins_with_digits(std::string_view text) {
  return text.size() >= 3 && std::all_of(text.begin(), text.begin() + 3, is_digit);
}

// The code that a line begins with, 0 when there is none.
int code_of(std::string_view text) {
  if (!begins_with_digits(text)) return 0;
  // "2500" is no reply to anything; three digits alone are one without text.
  if (text.size() > 3 && text[3] != ' ' && text[3] != '-') return 0;
  return (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
}

}  // namespace

Reply::Took Reply::add(const Lines::Line& line) {
  const int code = code_of(line.text);
  const bool goes_on = line.text.size() > 3 && line.text[3] == '-';
  // The first line says which code the reply has; the reply ends with the line that has this code
  // and no '-'. RFC 959 lets the lines between begin as they like, but for a number, which the
  // server must pad.
  if (!is_begun()) {
    if (code < 100 || (goes_on && form_ == Form::single)) return Took::malformed;
    code_ = code;
  }
  const bool is_free = form_ == Form::framed && !begins_with_digits(line.text);
  if (code != code_ && !is_free) return Took::malformed;
  raw_ += line.raw;
  lines_ += as_understood(line.text);
  return code == code_ && !goes_on ? Took::complete : Took::more;
}

void Reply::clear() { *this = Reply(form_); }

std::string Reply::words() const {
  std::string text = std::to_string(code_);
  std::string_view rest = raw_;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n') + 1);
    rest.remove_prefix(line.size());
    line = trimmed(line);
    if (code_of(line) == code_) line = trimmed(line.substr(std::min<std::size_t>(4, line.size())));
    if (!line.empty()) text += " " + std::string(line);
  }
  return printable(text);
}

bool Reply::has_keyword(std::string_view keyword) const {
  // The first line names the server (RFC 5321 section 4.1.1.1). A server called STARTTLS offers
  // nothing by that.
  std::string_view rest = raw_;
  rest.remove_prefix(rest.find('\n') + 1);
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n') + 1);
    rest.remove_prefix(line.size());
    line = trimmed(line);
    if (code_of(line) != code_ || line.size() < 5) continue;
    line.remove_prefix(4);
    if (equal_ignoring_case(line.substr(0, line.find(' ')), keyword)) return true;
  }
  return false;
}

}  // namespace tunnel::preamble
