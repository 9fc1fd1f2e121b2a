// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace tunnel {

// "250ms", "10s", "5m", "1h30m", "2d"; no sign, no bare number (the caller decides what that
// means).
[[nodiscard]] Result<Millis> parse_duration(std::string_view text);
// The shortest text that parse_duration reads back: "1h30m", "250ms", "0s".
[[nodiscard]] std::string format_duration(Millis duration);

// "64KiB", "1MiB", "512B", "4096"; powers of 1024 (KiB, MiB, GiB).
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);
[[nodiscard]] std::string format_size(std::uint64_t bytes);

// The candidate that `typed` most probably meant (edit distance, small against its length), or "";
// "" also when several are equally near.
[[nodiscard]] std::string_view did_you_mean(std::string_view typed,
                                            std::span<const std::string_view> candidates);

// Text that may go into a log line or a terminal: control characters, what is not harmless
// otherwise (unicode.h) and invalid UTF-8 escaped as \xNN for each byte, cut at `limit` bytes with
// "...".
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 200);

// The same in double quotes, for a sentence that quotes its input.
[[nodiscard]] std::string in_quotes(std::string_view text, std::size_t limit = 100);

// ASCII letters only, whatever the locale.
[[nodiscard]] constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);
[[nodiscard]] bool starts_ignoring_case(std::string_view text, std::string_view prefix);

// Of 0 to 9; is_digits: one or more of them, and nothing else.
[[nodiscard]] constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
[[nodiscard]] bool is_digits(std::string_view text);

// Without the blanks, tabs and line ends around it.
[[nodiscard]] std::string_view trimmed(std::string_view text);

// "a", "a or b", "a, b or c", where `last` is " or ".
[[nodiscard]] std::string enumerated(std::span<const std::string> items, std::string_view last);

// "1 connection", "2 connections".
[[nodiscard]] std::string count_of(std::uint64_t number, std::string_view noun);

// Everything but RFC 3986's unreserved characters as "%XX" (section 2.1), for a login in a URL.
[[nodiscard]] std::string percent_encoded(std::string_view text);
// The bytes again. A "%" without two hexadecimal digits behind it stays.
[[nodiscard]] std::string percent_decoded(std::string_view text);

}  // namespace tunnel
