// SPDX-License-Identifier: MIT
#include "tunnel/connection_record.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <variant>

namespace tunnel::connection_record_test {
namespace {

struct KeepingLog final : log::Log {
  using Value = std::variant<std::string, std::int64_t, std::uint64_t, bool>;
  log::Level least = log::Level::info;
  int lines = 0;
  std::string subject;
  std::string text;
  std::map<std::string, Value, std::less<>> values;

  [[nodiscard]] bool enabled(log::Level level) const override { return level <= least; }
  void write(log::Level, log::Event event, log::Subject who, std::string_view message,
             std::initializer_list<log::Field> fields) override {
    CHECK(event == log::Event::closed);
    ++lines;
    subject = std::string(who.service) + "[" + std::to_string(who.conn) + "]";
    text = message;
    for (const log::Field& field : fields) {
      Value& value = values[std::string(field.key)];
      if (const auto* view = std::get_if<std::string_view>(&field.value))
        value = std::string(*view);
      if (const auto* number = std::get_if<std::int64_t>(&field.value)) value = *number;
      if (const auto* count = std::get_if<std::uint64_t>(&field.value)) value = *count;
      if (const auto* is = std::get_if<bool>(&field.value)) value = *is;
    }
  }
  void reopen() override {}
  void flush() override {}
  [[nodiscard]] std::string said(std::string_view key) const {
    return std::get<std::string>(values.find(key)->second);
  }
};

}  // namespace

TEST_CASE("the closed line of a relayed connection says who, what, how long and over which TLS") {
  KeepingLog log;
  log_closed(log, {.service = "ldap",
                   .id = 12,
                   .client = "127.0.0.1:4711",
                   .target = "dc1.example.com:636",
                   .bytes_up = 7,
                   .bytes_down = 9,
                   .times = {.resolve = Micros(400), .connect = Micros(1000), .tls = Micros(5999)},
                   .total = Millis(1500),
                   .negotiated = {.version = "TLS1.3",
                                  .cipher = "TLS_AES_128_GCM_SHA256",
                                  .group = "X25519",
                                  .resumed = true},
                   .tries = 2,
                   .outcome = {Kind::ok, Side::client, ""}});
  CHECK(log.subject == "ldap[12]");
  CHECK(log.text == "connection ended");
  CHECK(log.said("client") == "127.0.0.1:4711");
  CHECK(log.said("target") == "dc1.example.com:636");
  CHECK(log.said("kind") == "ok");
  CHECK(log.said("side") == "client");
  CHECK(log.said("tls") == "TLS1.3/TLS_AES_128_GCM_SHA256/X25519");
  CHECK(log.said("ocsp") == "none");
  CHECK(log.values["bytes_up"] == KeepingLog::Value(std::uint64_t{7}));
  CHECK(log.values["bytes_down"] == KeepingLog::Value(std::uint64_t{9}));
  CHECK(log.values["resolve_ms"] == KeepingLog::Value(std::int64_t{0}));
  CHECK(log.values["connect_ms"] == KeepingLog::Value(std::int64_t{1}));
  CHECK(log.values["preamble_ms"] == KeepingLog::Value(std::int64_t{-1}));
  CHECK(log.values["tls_ms"] == KeepingLog::Value(std::int64_t{5}));
  CHECK(log.values["total_ms"] == KeepingLog::Value(std::int64_t{1500}));
  CHECK(log.values["resumed"] == KeepingLog::Value(true));
  CHECK(log.values["tries"] == KeepingLog::Value(std::uint64_t{2}));
}

TEST_CASE("the closed line of a client that was sent away at once has the same fields") {
  KeepingLog relayed;
  log_closed(relayed, {.target = "a:1", .negotiated = {"TLS1.2", "", ""}});
  KeepingLog denied;
  log_closed(denied,
             {.client = "10.0.0.9:1", .outcome = {Kind::client_denied, Side::tunnel, "no"}});
  CHECK(denied.text == "no");
  CHECK(denied.said("target") == "-");
  CHECK(denied.said("tls").empty());
  CHECK(denied.said("ocsp").empty());
  REQUIRE(denied.values.size() == relayed.values.size());
  for (const auto& [key, value] : relayed.values) CHECK(denied.values.count(key) == 1);
}

TEST_CASE("a log that keeps only warnings gets no closed line") {
  KeepingLog log;
  log.least = log::Level::warning;
  log_closed(log, {});
  CHECK(log.lines == 0);
}

}  // namespace tunnel::connection_record_test
