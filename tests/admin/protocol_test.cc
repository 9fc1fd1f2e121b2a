// SPDX-License-Identifier: MIT
#include "admin/protocol.h"

#include <doctest/doctest.h>

namespace tunnel::admin {

TEST_SUITE("control protocol") {
  TEST_CASE("a request names a command and its arguments") {
    const auto parsed = Request::parse(
        R"({"v":1,"command":"close","service":"ldap","connection":12,"all":true,"for_ms":600000})");
    REQUIRE(parsed.request.has_value());
    CHECK(parsed.request->command() == "close");
    CHECK(parsed.request->text("service") == "ldap");
    CHECK(parsed.request->number("connection") == 12);
    CHECK(parsed.request->flag("all"));
    CHECK(parsed.request->duration("for_ms") == Millis(600'000));
  }

  TEST_CASE("an argument of another type counts as missing") {
    const auto parsed = Request::parse(
        R"({"v":1,"command":7,"service":["ldap"],"connection":-3,"all":1,"for_ms":1e300})");
    REQUIRE(parsed.request.has_value());
    CHECK(parsed.request->command().empty());
    CHECK(parsed.request->text("service").empty());
    CHECK_FALSE(parsed.request->number("connection").has_value());
    CHECK_FALSE(parsed.request->flag("all"));
    CHECK_FALSE(parsed.request->duration("for_ms").has_value());
  }

  TEST_CASE("a duration that no clock could bear counts as missing") {
    const auto parsed = Request::parse(R"({"v":1,"for_ms":18446744073709551615})");
    REQUIRE(parsed.request.has_value());
    CHECK_FALSE(parsed.request->duration("for_ms").has_value());
  }

  TEST_CASE("what is not a JSON object is refused") {
    for (const char* line : {"", "status", "[1]", "{\"v\":1", "{\"v\":1}}", "\xff\xfe", "null"}) {
      CAPTURE(line);
      const auto parsed = Request::parse(line);
      CHECK_FALSE(parsed.request.has_value());
      CHECK(parsed.refusal.kind == "bad_request");
    }
  }

  TEST_CASE("another version is refused by its own word") {
    for (const char* line : {"{}", R"({"v":2,"command":"status"})", R"({"v":"1"})"}) {
      CAPTURE(line);
      const auto parsed = Request::parse(line);
      CHECK_FALSE(parsed.request.has_value());
      CHECK(parsed.refusal.kind == "bad_version");
    }
  }

  TEST_CASE("answers are one line each, whatever they quote") {
    const std::string line = answer_line(Verdict::refused("failed", "a\nb \xff \"c\""));
    CHECK(line.find('\n') == line.size() - 1);
    const Json json = Json::parse(line);
    CHECK(json["v"] == 1);
    CHECK(json["ok"] == false);
    CHECK(json["kind"] == "failed");
    CHECK(json["lines"][0] == "a\nb \xef\xbf\xbd \"c\"");
    CHECK(Json::parse(answer_line(Verdict::done({"done"}))) ==
          Json{{"v", 1}, {"ok", true}, {"lines", {"done"}}});
  }
}

}  // namespace tunnel::admin
