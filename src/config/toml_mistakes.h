// SPDX-License-Identifier: MIT
// What a person most probably did where the TOML parser stopped: its sentences are about grammar,
// ours are about quotes, brackets and habits from other files. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tunnel::config {

struct Mistake {
  std::string text;  // without "syntax error: "
  std::string hint;  // may be empty
  // The character of the line that it is about, from 1; nothing: where the parser stopped.
  std::optional<std::uint32_t> column;
};

// `description` is the parser's, for the line and the character (from 1) at which it stopped.
[[nodiscard]] Mistake find_mistake(std::string_view line, std::uint32_t column,
                                   std::string_view description);

}  // namespace tunnel::config
