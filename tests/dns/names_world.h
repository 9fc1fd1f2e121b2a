// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dns/names.h"
#include "support/fake_log.h"
#include "support/virtual_clock.h"

// Names with a resolver that the test plays, and time that the test moves.
namespace tunnel::dns::testing {

using test::FakeLog;

struct Asked {
  std::string name;
  RecordType type = RecordType::a;
  Resolver::OnAnswer on_answer;
};

class FakeResolver final : public Resolver {
 public:
  explicit FakeResolver(std::vector<Asked>& open) : open_(open) {}
  ~FakeResolver() override { open_.clear(); }
  void ask(const std::string& name, RecordType type, OnAnswer on_answer) override {
    open_.push_back({name, type, std::move(on_answer)});
  }

 private:
  std::vector<Asked>& open_;
};

class FakeAlarm final : public Alarm {
 public:
  explicit FakeAlarm(std::optional<TimePoint>& when) : when_(when) {}
  void set(TimePoint when) override { when_ = when; }
  void clear() override { when_.reset(); }

 private:
  std::optional<TimePoint>& when_;
};

inline Answer addresses(std::vector<const char*> ips, int ttl_seconds = 60) {
  Answer answer{.status = Status::ok,
                .addresses = {},
                .services = {},
                .ttl = std::chrono::seconds(ttl_seconds)};
  for (const char* ip : ips) answer.addresses.push_back(*SocketAddress::parse_ip(ip, 0));
  return answer;
}
inline Answer failure(Status status) { return {.status = status, .addresses = {}, .services = {}}; }

struct World {
  test::VirtualClock clock;
  FakeLog log;
  std::vector<Asked> open;  // questions not answered yet
  std::optional<TimePoint> alarm;
  Alarm* bell = nullptr;
  std::vector<Update> updates;
  std::unique_ptr<Names> names;

  explicit World(NameState::Limits limits = {}, std::string hosts = "/nonexistent/hosts") {
    auto fake_alarm = std::make_unique<FakeAlarm>(alarm);
    bell = fake_alarm.get();
    names = std::make_unique<Names>(
        std::make_unique<FakeResolver>(open), std::move(fake_alarm), clock, log,
        Names::Options{.limits = limits, .hosts_path = std::move(hosts)});
  }

  Names::WatchId watch(std::string_view name, Kind kind = Kind::addresses) {
    const Names::WatchId id =
        names->watch(name, kind, [this](const Update& update) { updates.push_back(update); });
    pass(Millis(0));
    return id;
  }
  // Time goes by; the alarm rings when it is due, as often as it takes.
  void pass(Millis time) {
    const TimePoint end = clock.now() + time;
    while (alarm && *alarm <= end) {
      if (*alarm > clock.now()) clock.advance(*alarm - clock.now());
      alarm.reset();
      bell->on_due();
    }
    clock.advance(end - clock.now());
  }
  // Answers the open question of that type.
  void answer(RecordType type, Answer with) {
    for (auto one = open.begin(); one != open.end(); ++one) {
      if (one->type != type) continue;
      const Asked asked = std::move(*one);
      open.erase(one);
      asked.on_answer(std::move(with));
      return pass(Millis(0));
    }
    FAIL("nobody asked for that");
  }
  void answer_both(const Answer& v6, const Answer& v4) {
    answer(RecordType::aaaa, v6);
    answer(RecordType::a, v4);
  }
  [[nodiscard]] std::string last() const {  // "10.0.0.1 10.0.0.2"
    REQUIRE_FALSE(updates.empty());
    std::string text;
    for (const SocketAddress& address : updates.back().addresses) {
      text += (text.empty() ? "" : " ") + address.ip();
    }
    return text;
  }
};

}  // namespace tunnel::dns::testing
