// SPDX-License-Identifier: MIT
#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <vector>

#include "base/encoding.h"
#include "base/unicode.h"

namespace tunnel {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

// From large to small: format_duration walks down, parse_duration wants them in this order.
constexpr std::array<Unit, 5> kTimeUnits = {
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::array<Unit, 4> kSizeUnits = {
    {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}};

// Nothing that a configuration can mean is longer; also keeps every sum far from overflow.
constexpr std::int64_t kLongest = std::int64_t{86'400'000} * 3650;

tl::unexpected<Error> no_duration(std::string_view text) {
  return failed(ErrorCode::invalid,
                "\"" + printable(text) +
                    "\" is not a duration; write it like \"250ms\", \"10s\", \"5m\" "
                    "or \"1h30m\"");
}

}  // namespace

Result<Millis> parse_duration(std::string_view text) {
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  std::string_view rest = text;
  if (rest.empty()) return no_duration(text);
  while (!rest.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    // std::from_chars would take a sign.
    if (error != std::errc() || !is_digit(rest.front())) return no_duration(text);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const auto word_end = std::find_if(rest.begin(), rest.end(), is_digit);
    const std::string_view unit = rest.substr(0, static_cast<std::size_t>(word_end - rest.begin()));
    rest.remove_prefix(unit.size());
    // Only units behind the last one: none comes twice, and "5m1h" is not a duration.
    const auto* found =
        std::find_if(kTimeUnits.begin() + static_cast<std::ptrdiff_t>(next_unit), kTimeUnits.end(),
                     [&](const Unit& u) { return u.name == unit; });
    if (found == kTimeUnits.end()) return no_duration(text);
    if (number > kLongest / found->factor || (total += number * found->factor) > kLongest) {
      return failed(ErrorCode::invalid, "\"" + printable(text) +
                                            "\" is longer than ten years; write \"off\" where no "
                                            "limit is meant");
    }
    next_unit = static_cast<std::size_t>(found - kTimeUnits.begin()) + 1;
  }
  return Millis(total);
}

std::string format_duration(Millis duration) {
  std::int64_t rest = duration.count();
  if (rest == 0) return "0s";
  std::string text;
  for (const Unit& unit : kTimeUnits) {
    if (rest < unit.factor) continue;
    text += std::to_string(rest / unit.factor) + std::string(unit.name);
    rest %= unit.factor;
  }
  return text;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (error == std::errc()) {
    if (unit.empty()) return number;
    for (const Unit& known : kSizeUnits) {
      if (known.name != unit) continue;
      const auto factor = static_cast<std::uint64_t>(known.factor);
      if (number > std::numeric_limits<std::uint64_t>::max() / factor) break;
      return number * factor;
    }
  }
  return failed(ErrorCode::invalid, "\"" + printable(text) +
                                        "\" is not a size; write it like \"64KiB\", \"1MiB\" or a "
                                        "number of bytes");
}

std::string format_size(std::uint64_t bytes) {
  for (const Unit& unit : kSizeUnits) {
    const auto factor = static_cast<std::uint64_t>(unit.factor);
    // Whole multiples only: what is printed has to be read back as the same number.
    if (factor > 1 && bytes >= factor && bytes % factor == 0) {
      return std::to_string(bytes / factor) + std::string(unit.name);
    }
  }
  return std::to_string(bytes);
}

namespace {

// Optimal string alignment: insert, delete, replace, and swap of neighbours cost one each.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replace});
      const bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swap) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

// For the search of a near word, a hyphen instead of an underscore is not a difference, nor is a
// capital.
std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c == '-' ? '_' : lower(c); });
  return result;
}

}  // namespace

std::string_view did_you_mean(std::string_view typed,
                              std::span<const std::string_view> candidates) {
  // The distance costs the product of both lengths, and no word that could be meant is so long.
  if (typed.empty() || typed.size() > 64) return "";
  const std::string wanted = lowered(typed);
  std::string_view best;
  // One letter in three may be wrong; beyond that any short word would resemble some other.
  std::size_t best_distance = std::max<std::size_t>(1, typed.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(wanted, lowered(candidate));
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    } else if (distance == best_distance && candidate != best) {
      best = {};  // "1.4" is as near to "1.0" as to "1.3"
    }
  }
  return best;
}

std::string printable(std::string_view text, std::size_t limit) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string result;
  while (!text.empty()) {
    std::string piece;
    const CodePoint first = first_code_point(text);
    const std::size_t length = std::max<std::size_t>(1, first.length);
    if (first.length > 0 && is_harmless(first.value)) {
      piece = text.substr(0, length);
    } else {
      for (const char c : text.substr(0, length)) {
        const auto byte = static_cast<unsigned char>(c);
        piece += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
      }
    }
    // A code point or an escape is never cut in two.
    if (result.size() + piece.size() > limit) return result + "...";
    result += piece;
    text.remove_prefix(length);
  }
  return result;
}

std::string in_quotes(std::string_view text, std::size_t limit) {
  return '"' + printable(text, limit) + '"';
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && starts_ignoring_case(a, b);
}

bool starts_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string enumerated(std::span<const std::string> items, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text += i + 1 == items.size() ? last : ", ";
    text += items[i];
  }
  return text;
}

std::string count_of(std::uint64_t number, std::string_view noun) {
  return std::to_string(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (is_safe) {
      result += c;
    } else {
      result += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return result;
}

std::string percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    result += low >= 0 ? static_cast<char>(high * 16 + low) : text[i];
    if (low >= 0) i += 2;
  }
  return result;
}

}  // namespace tunnel
