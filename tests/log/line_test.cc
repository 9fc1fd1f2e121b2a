// SPDX-License-Identifier: MIT
#include "log/line.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tunnel::log {
namespace {

using namespace std::chrono_literals;

// 2026-11-23T19:00:00.123Z
const std::chrono::system_clock::time_point kTime{std::chrono::milliseconds(1'795'460'400'123)};

std::string hostile() {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  return all +
         "\xe2\x82\xac \xed\xa0\x80 \xf5\x80\x80\x80 \xc2\x9b"
         "31m \"quoted\" a=b \\x0a";
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

}  // namespace

TEST_CASE("a text line has time, level, service and connection, message and fields") {
  CHECK(format_text({.time = kTime,
                     .level = Level::info,
                     .event = Event::closed,
                     .subject = {"ldap", 12},
                     .message = "closed",
                     .fields = {{"client", "127.0.0.1:5000"},
                                {"bytes_up", std::uint64_t{18'446'744'073'709'551'615U}},
                                {"tls_ms", std::int64_t{-1}},
                                {"resumed", false}}}) ==
        "2026-11-23T19:00:00.123Z INFO  ldap[12] closed client=127.0.0.1:5000 "
        "bytes_up=18446744073709551615 tls_ms=-1 resumed=false");
}

TEST_CASE("levels take five columns, a subject without connection no brackets, the process none") {
  const auto head = [](Level level, Subject subject) {
    return format_text({.time = kTime,
                        .level = level,
                        .event = Event::notice,
                        .subject = subject,
                        .message = "m",
                        .fields = {}})
        .substr(25);
  };
  CHECK(head(Level::error, {"a", 1}) == "ERROR a[1] m");
  CHECK(head(Level::warning, {"a", 0}) == "WARN  a m");
  CHECK(head(Level::info, {}) == "INFO  m");
  CHECK(head(Level::debug, {}) == "DEBUG m");
}

TEST_CASE("a value is quoted only where it could be misread") {
  const auto value = [](std::string_view v) {
    return format_body({.time = kTime,
                        .level = Level::info,
                        .event = Event::notice,
                        .subject = {},
                        .message = "m",
                        .fields = {{"k", v}}});
  };
  CHECK(value("plain-1.5:6/[x]") == "m k=plain-1.5:6/[x]");
  CHECK(value("") == "m k=\"\"");
  CHECK(value("two words") == "m k=\"two words\"");
  CHECK(value("a=b") == "m k=\"a=b\"");
  CHECK(value("say \"hi\"") == "m k=\"say \\\"hi\\\"\"");
  CHECK(value("back\\slash") == "m k=\"back\\\\slash\"");
  CHECK(value("line\nbreak") == "m k=\"line\\x0abreak\"");
  CHECK(value("caf\xc3\xa9") == "m k=caf\xc3\xa9");
  CHECK(value("\xff") == "m k=\"\\xff\"");
}

TEST_CASE("nothing that a peer says can start a second line or reach the terminal") {
  const std::string evil = hostile();
  const Line line{.time = kTime,
                  .level = Level::warning,
                  .event = Event::notice,
                  .subject = {evil, 3},
                  .message = evil,
                  .fields = {{"k", evil}}};
  CHECK_FALSE(has_control(format_text(line)));
  CHECK_FALSE(has_control(format_json(line)));
  CHECK(format_text(line).find("\xc2\x9b") == std::string::npos);
  CHECK(format_text(line).find('\x7f') == std::string::npos);
}

TEST_CASE("characters that turn text around or break lines are escaped, in text and in JSON") {
  // RIGHT-TO-LEFT OVERRIDE, LINE and PARAGRAPH SEPARATOR, RIGHT-TO-LEFT ISOLATE, ZERO WIDTH SPACE,
  // a C1 control, DELETE, LANGUAGE TAG; a euro sign stays.
  const std::string evil =
      "\xe2\x80\xae\xe2\x80\xa8\xe2\x80\xa9\xe2\x81\xa7\xe2\x80\x8b\xc2\x9b\x7f\xf3\xa0\x80\x81"
      "\xe2\x82\xac";
  const Line line{.time = kTime,
                  .level = Level::warning,
                  .event = Event::notice,
                  .subject = {},
                  .message = evil,
                  .fields = {{"k", evil}}};
  const std::string in_json =
      "\\u202e\\u2028\\u2029\\u2067\\u200b\\u009b\\u007f\\udb40\\udc01\xe2\x82\xac";
  const std::string json = format_json(line);
  CHECK(json.find("\"msg\":\"" + in_json + "\"") != std::string::npos);
  CHECK(json.find("\"k\":\"" + in_json + "\"") != std::string::npos);
  CHECK(nlohmann::json::parse(json)["msg"] == evil);
  const std::string in_text =
      "\\xe2\\x80\\xae\\xe2\\x80\\xa8\\xe2\\x80\\xa9\\xe2\\x81\\xa7\\xe2\\x80\\x8b\\xc2\\x9b\\x7f"
      "\\xf3\\xa0\\x80\\x81\xe2\x82\xac";
  CHECK(format_body(line) == in_text + " k=\"" + in_text + "\"");
}

TEST_CASE("a message of any length makes a line of bounded length") {
  const std::string huge(10'000'000, 'x');
  const Line line{.time = kTime,
                  .level = Level::info,
                  .event = Event::notice,
                  .subject = {},
                  .message = huge,
                  .fields = {{"k", huge}}};
  CHECK(format_text(line).size() < 50'000);
  CHECK(format_json(line).size() < 50'000);
  CHECK(format_journal(line, format_body(line)).size() < 100'000);
}

TEST_CASE("a JSON line is one valid object with typed members") {
  const std::string text = format_json({.time = kTime,
                                        .level = Level::warning,
                                        .event = Event::dial_failed,
                                        .subject = {"ldap", 12},
                                        .message = "no \"target\"\n",
                                        .fields = {{"kind", "connect_refused"},
                                                   {"tries", std::int64_t{3}},
                                                   {"resumed", true},
                                                   {"msg", "cannot replace the message"}}});
  CHECK(text.find('\n') == std::string::npos);
  const auto json = nlohmann::json::parse(text);
  CHECK(json["ts"] == "2026-11-23T19:00:00.123Z");
  CHECK(json["level"] == "warning");
  CHECK(json["event"] == "dial_failed");
  CHECK(json["service"] == "ldap");
  CHECK(json["conn"] == 12);
  CHECK(json["msg"] == "no \"target\"\n");
  CHECK(json["kind"] == "connect_refused");
  CHECK(json["tries"] == 3);
  CHECK(json["resumed"] == true);
}

TEST_CASE(
    "a JSON line stays valid whatever bytes it is given, and leaves out what does not apply") {
  const std::string evil = hostile();
  const auto json = nlohmann::json::parse(format_json({.time = kTime,
                                                       .level = Level::info,
                                                       .event = Event::ready,
                                                       .subject = {},
                                                       .message = evil,
                                                       .fields = {{"k", evil}}}),
                                          nullptr, /*allow_exceptions=*/false);
  REQUIRE_FALSE(json.is_discarded());
  CHECK_FALSE(json.contains("service"));
  CHECK_FALSE(json.contains("conn"));
  CHECK(json["event"] == "ready");
}

TEST_CASE("every event has the word of the manual") {
  CHECK(word(Event::ready) == "ready");
  CHECK(word(Event::listening) == "listening");
  CHECK(word(Event::connected) == "connected");
  CHECK(word(Event::closed) == "closed");
  CHECK(word(Event::dial_failed) == "dial_failed");
  CHECK(word(Event::ejected) == "ejected");
  CHECK(word(Event::restored) == "restored");
  CHECK(word(Event::reloaded) == "reloaded");
  CHECK(word(Event::reload_failed) == "reload_failed");
  CHECK(word(Event::certificates_reloaded) == "certificates_reloaded");
  CHECK(word(Event::capture_started) == "capture_started");
  CHECK(word(Event::capture_stopped) == "capture_stopped");
  CHECK(word(Event::control) == "control");
  CHECK(word(Event::draining) == "draining");
  CHECK(word(Event::stopped) == "stopped");
  CHECK(word(Event::notice) == "notice");
}

TEST_CASE("a journal datagram carries the message, the priority and every field by name") {
  const Line line{.time = kTime,
                  .level = Level::error,
                  .event = Event::dial_failed,
                  .subject = {"ldap", 7},
                  .message = "refused",
                  .fields = {{"kind", "connect_refused"}, {"odd-key", std::int64_t{5}}}};
  const std::string datagram = format_journal(line, format_body(line));
  CHECK(datagram ==
        "MESSAGE=ldap[7] refused kind=connect_refused odd-key=5\n"
        "PRIORITY=3\nSYSLOG_IDENTIFIER=tunnel\nTUNNEL_EVENT=dial_failed\nTUNNEL_SERVICE=ldap\n"
        "TUNNEL_CONN=7\nTUNNEL_KIND=connect_refused\nTUNNEL_ODD_KEY=5\n");
}

TEST_CASE("a newline in a journal field cannot forge another field") {
  const Line line{.time = kTime,
                  .level = Level::info,
                  .event = Event::notice,
                  .subject = {},
                  .message = "m",
                  .fields = {{"reason", "bad\nPRIORITY=0"}}};
  const std::string datagram = format_journal(line, "m");
  const std::string length("\x0e\0\0\0\0\0\0\0", 8);
  CHECK(datagram.ends_with("TUNNEL_REASON\n" + length + "bad\nPRIORITY=0\n"));
}

}  // namespace tunnel::log
