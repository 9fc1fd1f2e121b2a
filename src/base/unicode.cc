// SPDX-License-Identifier: MIT
#include "base/unicode.h"

#include <algorithm>
#include <array>

namespace tunnel {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Cc, Cf, Zl and Zp of Unicode 15; the gap inside 2060..206F is reserved for more of them.
constexpr std::array<Range, 22> kHarmful = {{
    {0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x0600, 0x0605},
    {0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f},   {0x0890, 0x0891},
    {0x08e2, 0x08e2},   {0x180e, 0x180e},   {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x206f},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},   {0x110bd, 0x110bd},
    {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
    {0xe0001, 0xe0001}, {0xe0020, 0xe007f},
}};

}  // namespace

CodePoint first_code_point(std::string_view text) {
  if (text.empty()) return {};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {.value = first, .length = 1};
  // 0xc0 and 0xc1 would only begin forms that are too long for their value, 0xf5 and above only
  // values beyond U+10FFFF.
  std::size_t length = 0;
  if (first >= 0xc2 && first <= 0xdf) length = 2;
  if (first >= 0xe0 && first <= 0xef) length = 3;
  if (first >= 0xf0 && first <= 0xf4) length = 4;
  if (length == 0 || text.size() < length) return {};
  char32_t value = first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3fU);
  }
  // A decoder that takes these finds characters that a search for their bytes has missed.
  const bool is_overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  const bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
  if (is_overlong || is_surrogate || value > 0x10ffff) return {};
  return {.value = value, .length = length};
}

bool is_harmless(char32_t code_point) {
  const auto* range = std::lower_bound(
      kHarmful.begin(), kHarmful.end(), code_point,
      [](const Range& candidate, char32_t value) { return candidate.last < value; });
  return range == kHarmful.end() || code_point < range->first;
}

}  // namespace tunnel
