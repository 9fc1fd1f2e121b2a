// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace tunnel::web {

// Text of others as HTML: the one place where it is escaped. Certificates, DNS and greetings are
// written by whoever wants to; nothing of theirs is markup, ends an attribute, or turns text round.
[[nodiscard]] std::string escaped(std::string_view text);

// An HTML text that grows. What is written by add() is ours; the rest goes through escaped().
class Html {
 public:
  Html& add(std::string_view markup) {
    out_ += markup;
    return *this;
  }
  Html& text(std::string_view text) {
    out_ += escaped(text);
    return *this;
  }
  Html& number(unsigned long long value) {
    out_ += std::to_string(value);
    return *this;
  }
  // <td>TEXT</td>, and with a class; numbers stand at the right.
  Html& cell(std::string_view text) { return add("<td>").text(text).add("</td>"); }
  Html& count(unsigned long long value) { return add("<td class=n>").number(value).add("</td>"); }
  Html& quantity(std::string_view text) { return add("<td class=n>").text(text).add("</td>"); }

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

}  // namespace tunnel::web
