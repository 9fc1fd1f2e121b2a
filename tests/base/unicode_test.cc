// SPDX-License-Identifier: MIT
#include "base/unicode.h"

#include <doctest/doctest.h>

namespace tunnel {

TEST_CASE("utf-8: valid sequences are decoded, others are not") {
  const struct {
    std::string_view text;
    char32_t value;
    std::size_t length;
  } kCases[] = {
      {"a", U'a', 1},
      {"\xc3\xbcx", 0xfc, 2},
      {"\xe2\x82\xac", 0x20ac, 3},
      {"\xf0\x9f\x98\x80", 0x1f600, 4},
      {"\xf4\x8f\xbf\xbf", 0x10ffff, 4},
      {"", 0, 0},
      {"\x80", 0, 0},              // a continuation alone
      {"\xc3", 0, 0},              // cut
      {"\xc3(", 0, 0},             // not continued
      {"\xc1\xbf", 0, 0},          // overlong
      {"\xe0\x9f\xbf", 0, 0},      // overlong
      {"\xf0\x8f\xbf\xbf", 0, 0},  // overlong
      {"\xed\xa0\x80", 0, 0},      // a surrogate
      {"\xf4\x90\x80\x80", 0, 0},  // beyond the last plane
      {"\xff", 0, 0},
  };
  for (const auto& one : kCases) {
    CAPTURE(one.text);
    CHECK(first_code_point(one.text).length == one.length);
    CHECK(first_code_point(one.text).value == one.value);
  }
}

TEST_CASE("controls, format characters and line separators are not harmless, letters are") {
  for (const int bad :
       {0x0,    0x1b,   0x7f,   0x80,   0x9b,   0xad,    0x600,   0x61c,   0x180e,  0x200b, 0x200e,
        0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c,  0x202d,  0x202e,  0x2060,  0x2066, 0x2067,
        0x2068, 0x2069, 0x206f, 0xfeff, 0xfff9, 0x110bd, 0x1d173, 0xe0001, 0xe0020, 0xe007f}) {
    CAPTURE(bad);
    CHECK_FALSE(is_harmless(static_cast<char32_t>(bad)));
  }
  for (const int good : {0x20, 0x7e, 0xa0, 0xac, 0xae, 0xe9, 0x606, 0x200a, 0x2010, 0x2027, 0x202f,
                         0x2070, 0x20ac, 0x4e2d, 0xfffd, 0x1f600, 0xe0100, 0x10ffff}) {
    CAPTURE(good);
    CHECK(is_harmless(static_cast<char32_t>(good)));
  }
}

}  // namespace tunnel
