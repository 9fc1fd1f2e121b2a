// SPDX-License-Identifier: MIT
#include "base/encoding.h"

#include <doctest/doctest.h>

namespace tunnel {

TEST_CASE("base64 is that of RFC 4648, with padding") {
  CHECK(base64("").empty());
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xff\xfe") == "//4=");
}

TEST_CASE("bytes become two digits each, whatever their sign") {
  CHECK(hex(std::string_view("\x00\x0f\xff", 3)) == "000fff");
}

TEST_CASE("hexadecimal digits have a value in either case, and nothing else has one") {
  CHECK(hex_digit('0') == 0);
  CHECK(hex_digit('f') == 15);
  CHECK(hex_digit('A') == 10);
  CHECK(hex_digit('g') == -1);
  CHECK(hex_digit(' ') == -1);
}

}  // namespace tunnel
