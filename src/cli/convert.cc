// SPDX-License-Identifier: MIT
#include "cli/convert.h"

#include "base/text.h"
#include "config/print.h"
#include "import/balance_cli.h"

namespace tunnel::cli {
namespace {

constexpr std::size_t kLongestComment = 65'536;

}  // namespace

Result<std::string> convert_command_line(std::span<const std::string> words) {
  const std::string program = words.empty() ? "" : words[0].substr(words[0].rfind('/') + 1);
  if (program != "balance") {
    return failed(ErrorCode::invalid,
                  "only command lines of balance can be converted: tunnel convert -- balance -b "
                  "127.0.0.1 636 10.1.1.1 '!' 10.1.1.2");
  }
  const auto converted = import::convert_balance(words.subspan(1));
  if (!converted) return tl::make_unexpected(converted.error());
  std::string text = "# balance";
  for (const std::string& word : words.subspan(1)) text += " " + printable(word, kLongestComment);
  text += "\n";
  for (const std::string& note : converted->notes) text += config::comment_lines(note);
  return text + "\n" + config::print(converted->config);
}

Result<std::string> convert_file(const config::Document& document) {
  const std::string& path = document.config.path;
  if (!path.ends_with(".conf")) {
    return failed(ErrorCode::invalid, printable(path) +
                                          " is read as TOML already; a stunnel.conf has a name "
                                          "that ends in .conf");
  }
  const std::string text = config::print(document.config, document.remarks());
  return "# From " + printable(path, kLongestComment) + "\n" +
         (text.starts_with('[') || text.starts_with('#') ? "\n" : "") + text;
}

}  // namespace tunnel::cli
