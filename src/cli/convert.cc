// SPDX-License-Identifier: MIT
#include "cli/convert.h"

#include <algorithm>

#include "base/text.h"
#include "config/balance_cli.h"
#include "config/print.h"

namespace tunnel::cli {
namespace {

// Comments go no further to the right than this.
constexpr std::size_t kWidth = 98;
constexpr std::size_t kLongest = 65'536;

// A sentence as comment lines; a following line is indented.
std::string comment(const std::string& sentence) {
  const std::string text = printable(sentence, kLongest);
  std::string result;
  std::string line = "#";
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find(' ', start), text.size());
    if (line.size() + 1 + (end - start) > kWidth && line.size() > 3) {
      result += line + "\n";
      line = "#  ";
    }
    line += " " + text.substr(start, end - start);
    start = end + 1;
  }
  return result + line + "\n";
}

}  // namespace

Result<std::string> convert_command_line(std::span<const std::string> words) {
  const std::string program = words.empty() ? "" : words[0].substr(words[0].rfind('/') + 1);
  if (program != "balance") {
    return failed(ErrorCode::invalid,
                  "only command lines of balance can be converted: tunnel convert -- balance -b "
                  "127.0.0.1 636 10.1.1.1 '!' 10.1.1.2");
  }
  const auto converted = config::convert_balance(words.subspan(1));
  if (!converted) return tl::make_unexpected(converted.error());
  std::string text = "# balance";
  for (const std::string& word : words.subspan(1)) text += " " + printable(word, kLongest);
  text += "\n";
  for (const std::string& note : converted->notes) text += comment(note);
  return text + "\n" + config::print(converted->config);
}

}  // namespace tunnel::cli
