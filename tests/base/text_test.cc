// SPDX-License-Identifier: MIT
#include "base/text.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

namespace tunnel {

TEST_CASE("a duration is read in every form of the manual and written back the shortest way") {
  CHECK(parse_duration("250ms").value() == Millis(250));
  CHECK(parse_duration("10s").value() == Millis(10'000));
  CHECK(parse_duration("5m").value() == Millis(300'000));
  CHECK(parse_duration("1h30m").value() == Millis(5'400'000));
  CHECK(parse_duration("0s").value() == Millis(0));
  for (const std::string_view text : {"250ms", "10s", "5m", "1h30m", "1d2h3m4s5ms", "0s"}) {
    CHECK(format_duration(parse_duration(text).value()) == text);
  }
}

TEST_CASE("what is not a duration is refused with an example of one") {
  for (const std::string_view text : {"", "10", "s", "-5s", "5 s", "5x", "5s5h", "5s5s", "1.5s",
                                      "99999999999999999999s", "4000d", "+5s"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text).has_value());
  }
  CHECK(parse_duration("5 s").error().text.find("\"1h30m\"") != std::string::npos);
}

TEST_CASE("a size is read with and without its unit") {
  CHECK(parse_size("64KiB").value() == 65536);
  CHECK(parse_size("1MiB").value() == 1048576);
  CHECK(parse_size("4096").value() == 4096);
  CHECK(parse_size("12B").value() == 12);
  CHECK(format_size(65536) == "64KiB");
  CHECK(format_size(65537) == "65537");
  CHECK(format_size(0) == "0");
  for (const std::string_view text : {"", "KiB", "64KB", "-1", "99999999999GiB"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text).has_value());
  }
}

TEST_CASE("a misspelt word finds the one that was meant and nothing far away") {
  constexpr std::array<std::string_view, 4> kWords = {"accept", "connect", "max_connections",
                                                      "tls"};
  CHECK(did_you_mean("acept", kWords) == "accept");
  CHECK(did_you_mean("conenct", kWords) == "connect");
  CHECK(did_you_mean("Max-Connections", kWords) == "max_connections");
  CHECK(did_you_mean("zebra", kWords).empty());
  CHECK(did_you_mean("", kWords).empty());
}

TEST_CASE("of words that are equally near none was meant more than the others") {
  constexpr std::array<std::string_view, 3> kVersions = {"1.1", "1.2", "1.3"};
  CHECK(did_you_mean("1.4", kVersions).empty());
  CHECK(did_you_mean("1,2", kVersions) == "1.2");
  constexpr std::array<std::string_view, 2> kTwice = {"workers", "workers"};
  CHECK(did_you_mean("worker", kTwice) == "workers");
}

TEST_CASE("what goes to a terminal carries no control characters") {
  CHECK(printable("plain") == "plain");
  CHECK(printable("a\x1b[31mb") == "a\\x1b[31mb");
  CHECK(printable("gr\xc3\xbc\xc3\x9f") == "gr\xc3\xbc\xc3\x9f");
  CHECK(printable("\xff\xc3") == "\\xff\\xc3");
  CHECK(printable("\xc2\x9b") == "\\xc2\\x9b");
  // RIGHT-TO-LEFT OVERRIDE, LINE SEPARATOR, a tag beyond the first plane; EURO SIGN is fine.
  CHECK(printable("a\xe2\x80\xae!") == "a\\xe2\\x80\\xae!");
  CHECK(printable("\xe2\x80\xa8") == "\\xe2\\x80\\xa8");
  CHECK(printable("\xf3\xa0\x80\x81\xe2\x82\xac") == "\\xf3\\xa0\\x80\\x81\xe2\x82\xac");
  CHECK(printable("abcdef", 3) == "abc...");
}

TEST_CASE("a login is encoded so that a URL can carry it") {
  CHECK(percent_encoded("") == "");
  CHECK(percent_encoded("Az09-._~") == "Az09-._~");
  CHECK(percent_encoded("a:b@c/d%e f") == "a%3Ab%40c%2Fd%25e%20f");
  CHECK(percent_encoded("\xc3\xa9") == "%C3%A9");
}

TEST_CASE("what is encoded with percent signs is read back, and a bare one stays") {
  CHECK(percent_decoded("a%3Ab%40c%2fd%25e%20f") == "a:b@c/d%e f");
  CHECK(percent_decoded("%C3%A9") == "\xc3\xa9");
  CHECK(percent_decoded("100%") == "100%");
  CHECK(percent_decoded("%4") == "%4");
  CHECK(percent_decoded("%zz%4g%%41") == "%zz%4g%A");
}

TEST_CASE("what somebody wrote is quoted, cut and made harmless") {
  CHECK(in_quotes("plain") == "\"plain\"");
  CHECK(in_quotes("a\nb", 5) == "\"a\\x0a...\"");
  CHECK(in_quotes("") == "\"\"");
}

TEST_CASE("letters are the same in both cases, and only letters") {
  CHECK(equal_ignoring_case("Yes", "yES"));
  CHECK(equal_ignoring_case("", ""));
  CHECK_FALSE(equal_ignoring_case("yes", "yes "));
  CHECK_FALSE(equal_ignoring_case("[", "{"));
}

TEST_CASE("letters are compared without their case, up to the last byte") {
  CHECK(equal_ignoring_case("Example.COM", "example.com"));
  CHECK_FALSE(equal_ignoring_case("example.com", "example.com."));
  CHECK_FALSE(equal_ignoring_case(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
  CHECK_FALSE(equal_ignoring_case("\xc4", "\xe4"));
  CHECK(starts_ignoring_case("STARTTLS now", "starttls"));
  CHECK_FALSE(starts_ignoring_case("START", "starttls"));
}

TEST_CASE("digits are at least one, and no sign, blank or letter") {
  for (const char* good : {"0", "00123"}) CHECK(is_digits(good));
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "1a", "1.0"}) CHECK_FALSE(is_digits(bad));
}

TEST_CASE("blanks around a text are cut, those within stay") {
  CHECK(trimmed(" \t a b\r\n") == "a b");
  CHECK(trimmed(" \t").empty());
}

TEST_CASE("several things are enumerated as in a sentence") {
  using List = std::vector<std::string>;
  CHECK(enumerated(List{}, " or ").empty());
  CHECK(enumerated(List{"a"}, " or ") == "a");
  CHECK(enumerated(List{"a", "b"}, " and ") == "a and b");
  CHECK(enumerated(List{"a", "b", "c"}, " or ") == "a, b or c");
}

}  // namespace tunnel
