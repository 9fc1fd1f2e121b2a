// SPDX-License-Identifier: MIT
// One pass over TOML text before the parser sees it: how deep it nests (the parser and everything
// after it recurse), and where bare words `yes` and `no` stand as values. Knows strings, comments,
// headers and brackets, and nothing else of TOML. A pure function.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace tunnel::config {

inline constexpr std::size_t kDeepest = 100;

struct TomlScan {
  // The byte at which the text nests deeper than kDeepest; arrays, inline tables, and the parts of
  // headers and dotted keys count.
  std::optional<std::size_t> too_deep;
  // Where a bare `yes` or `no` begins.
  std::vector<std::size_t> bare_words;
};

[[nodiscard]] TomlScan scan_toml(std::string_view text);

}  // namespace tunnel::config
