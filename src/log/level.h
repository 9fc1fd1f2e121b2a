// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace tunnel::log {

// Ordered: a line is written when its level is at or above (numerically: at or below) the limit.
enum class Level { error, warning, info, debug };

inline constexpr std::array<std::string_view, 4> kLevelWords = {"error", "warning", "info",
                                                                "debug"};

[[nodiscard]] constexpr std::string_view word(Level level) {
  return kLevelWords[static_cast<std::size_t>(level)];
}

[[nodiscard]] constexpr std::optional<Level> parse_level(std::string_view text) {
  for (std::size_t index = 0; index < kLevelWords.size(); ++index) {
    if (kLevelWords[index] == text) return static_cast<Level>(index);
  }
  return std::nullopt;
}

}  // namespace tunnel::log
