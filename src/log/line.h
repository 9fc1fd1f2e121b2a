// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>

#include "log/log.h"

namespace tunnel::log {

// One log line before it is text. Views only: lives as long as the call that makes it.
struct Line {
  std::chrono::system_clock::time_point time;
  Level level = Level::info;
  Event event = Event::notice;
  Subject subject;
  std::string_view message;
  std::initializer_list<Field> fields;
};

// Pure formatting, any thread. Whatever the parts contain, the result is one line without
// characters that a terminal or an editor obeys (the journal's datagram excepted, which is binary).

// `2026-11-23T19:00:00.123Z INFO  ldap[12] message key=value ...`, no newline. Values are quoted
// where they would be ambiguous; inside quotes `\"`, `\\` and `\xNN`.
[[nodiscard]] std::string format_text(const Line& line);
// The same without time and level, for sinks that add their own.
[[nodiscard]] std::string format_body(const Line& line);
// One JSON object, no newline. Invalid UTF-8 becomes U+FFFD, what is not harmless `\uNNNN`.
[[nodiscard]] std::string format_json(const Line& line);
// A datagram of the journal's native protocol whose MESSAGE is `message`.
[[nodiscard]] std::string format_journal(const Line& line, std::string_view message);

// syslog(3)'s numbers, which the journal shares.
[[nodiscard]] int priority(Level level);

}  // namespace tunnel::log
