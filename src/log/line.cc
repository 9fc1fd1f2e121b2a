// SPDX-License-Identifier: MIT
#include "log/line.h"

#include <fmt/format.h>
#include <syslog.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "base/unicode.h"

namespace tunnel::log {
namespace {

// Generous: a dial_failed line names every target. Still small enough for a journal datagram.
constexpr std::size_t kMessageLimit = 32 * 1024;
constexpr std::size_t kValueLimit = 8 * 1024;

constexpr std::array<std::string_view, 17> kEventWords = {
    "ready",           "listening",       "connected", "closed",        "dial_failed",
    "ejected",         "restored",        "reloaded",  "reload_failed", "certificates_reloaded",
    "capture_started", "capture_stopped", "control",   "draining",      "worker_stalled",
    "stopped",         "notice"};
static_assert(static_cast<std::size_t>(Event::notice) + 1 == kEventWords.size());

struct LevelWords {
  std::string_view json;
  std::string_view text;  // five columns
  int priority;
};
constexpr std::array<LevelWords, 4> kLevelWords = {{{"error", "ERROR", LOG_ERR},
                                                    {"warning", "WARN ", LOG_WARNING},
                                                    {"info", "INFO ", LOG_INFO},
                                                    {"debug", "DEBUG", LOG_DEBUG}}};

const LevelWords& words(Level level) { return kLevelWords[static_cast<std::size_t>(level)]; }

std::string timestamp(std::chrono::system_clock::time_point time) {
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const auto seconds = static_cast<time_t>(millis / 1000);
  tm utc{};
  (void)gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     millis % 1000);
}

// Bare when nothing in it could be mistaken for the line's own grammar, else quoted so that it can
// be read back: a backslash of the value's own is doubled before printable() adds its `\xNN`.
std::string quoted_if_needed(std::string_view value) {
  const std::string shown = printable(value, kValueLimit);
  if (!value.empty() && shown == value && value.find_first_of(" \"=\\") == value.npos) return shown;
  std::string escaped;
  escaped.reserve(value.size() + 2);
  for (const char c : value.substr(0, kValueLimit + 1)) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return '"' + printable(escaped, kValueLimit) + '"';
}

std::string shown(const Field& field) {
  struct Visitor {
    std::string operator()(std::string_view v) const { return quoted_if_needed(v); }
    std::string operator()(std::int64_t v) const { return std::to_string(v); }
    std::string operator()(std::uint64_t v) const { return std::to_string(v); }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
  };
  return std::visit(Visitor{}, field.value);
}

void append_body(std::string& out, const Line& line) {
  if (!line.subject.service.empty()) {
    out += quoted_if_needed(line.subject.service);
    if (line.subject.conn != 0) fmt::format_to(std::back_inserter(out), "[{}]", line.subject.conn);
    out += ' ';
  }
  out += printable(line.message, kMessageLimit);
  for (const Field& field : line.fields) {
    out += ' ';
    out += field.key;
    out += '=';
    out += shown(field);
  }
}

// JSON text without a character that a terminal or an editor would obey; the library escapes C0
// only.
std::string harmless(std::string_view json) {
  std::string result;
  result.reserve(json.size());
  while (!json.empty()) {
    const CodePoint first = first_code_point(json);
    const std::size_t length = std::max<std::size_t>(1, first.length);
    if (is_harmless(first.value)) {
      result += json.substr(0, length);
    } else if (first.value < 0x10000) {
      fmt::format_to(std::back_inserter(result), "\\u{:04x}",
                     static_cast<std::uint32_t>(first.value));
    } else {
      const auto rest = static_cast<std::uint32_t>(first.value) - 0x10000;
      fmt::format_to(std::back_inserter(result), "\\u{:04x}\\u{:04x}", 0xd800 + (rest >> 10),
                     0xdc00 + (rest & 0x3ff));
    }
    json.remove_prefix(length);
  }
  return result;
}

// NAME=value, or with an explicit length where the value holds a newline.
void append_journal_field(std::string& out, std::string_view name, std::string_view value) {
  value = value.substr(0, kMessageLimit);
  out += name;
  if (value.find('\n') == value.npos) {
    out += '=';
  } else {
    out += '\n';
    std::uint64_t size = value.size();
    for (int i = 0; i < 8; ++i, size >>= 8) out += static_cast<char>(size & 0xff);
  }
  out += value;
  out += '\n';
}

// Journal field names: capitals, digits and underscores. The prefix keeps fields apart from the
// journal's own (a "message" must not replace MESSAGE), and from those that begin with an
// underscore, which clients cannot set.
std::string journal_name(std::string_view key) {
  std::string name = "TUNNEL_";
  for (const char c : key) {
    const bool is_lower = c >= 'a' && c <= 'z';
    const bool is_plain = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += is_lower ? static_cast<char>(c - 'a' + 'A') : is_plain ? c : '_';
  }
  return name;
}

}  // namespace

std::string_view word(Event event) { return kEventWords[static_cast<std::size_t>(event)]; }

int priority(Level level) { return words(level).priority; }

std::string format_text(const Line& line) {
  std::string out = timestamp(line.time);
  out += ' ';
  out += words(line.level).text;
  out += ' ';
  append_body(out, line);
  return out;
}

std::string format_body(const Line& line) {
  std::string out;
  append_body(out, line);
  return out;
}

std::string format_json(const Line& line) {
  // Ordered: people read these lines too. emplace never overwrites, so no field can replace the
  // line's own members.
  nlohmann::ordered_json object;
  object.emplace("ts", timestamp(line.time));
  object.emplace("level", words(line.level).json);
  object.emplace("event", word(line.event));
  if (!line.subject.service.empty()) object.emplace("service", line.subject.service);
  if (line.subject.conn != 0) object.emplace("conn", line.subject.conn);
  object.emplace("msg", line.message.substr(0, kMessageLimit));
  for (const Field& field : line.fields) {
    std::string key(field.key);
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
      object.emplace(std::move(key), text->substr(0, kValueLimit));
    } else {
      std::visit([&](const auto& value) { object.emplace(std::move(key), value); }, field.value);
    }
  }
  return harmless(object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

std::string format_journal(const Line& line, std::string_view message) {
  std::string out;
  append_journal_field(out, "MESSAGE", message);
  append_journal_field(out, "PRIORITY", std::to_string(priority(line.level)));
  append_journal_field(out, "SYSLOG_IDENTIFIER", "tunnel");
  append_journal_field(out, "TUNNEL_EVENT", word(line.event));
  if (!line.subject.service.empty()) {
    append_journal_field(out, "TUNNEL_SERVICE", line.subject.service);
  }
  if (line.subject.conn != 0) {
    append_journal_field(out, "TUNNEL_CONN", std::to_string(line.subject.conn));
  }
  for (const Field& field : line.fields) {
    const auto* text = std::get_if<std::string_view>(&field.value);
    // As it is, without quotes or escapes: here a value has a length, and nothing to be mistaken
    // for.
    append_journal_field(out, journal_name(field.key), text ? *text : shown(field));
  }
  return out;
}

}  // namespace tunnel::log
