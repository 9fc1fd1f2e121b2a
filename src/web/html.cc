// SPDX-License-Identifier: MIT
#include "web/html.h"

#include "base/text.h"

namespace tunnel::web {

std::string escaped(std::string_view text) {
  constexpr std::size_t kLongest = 4096;
  std::string result;
  // After printable(), which escapes control characters and those that turn the direction of
  // writing.
  for (const char c : printable(text, kLongest)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

}  // namespace tunnel::web
