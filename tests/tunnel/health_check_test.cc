// SPDX-License-Identifier: MIT
#include "tunnel/health_check.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/tunnel/service_bench.h"

namespace tunnel::health_check_test {
namespace {

using namespace testing;

// A service whose targets are checked, with the check's time and the dial's at the same moment.
struct Checked : ServiceBench {
  static constexpr Millis kDeadline{40};
  SilentServer silent;
  std::unique_ptr<HealthChecks> checks;

  Checked() {
    config::Timeouts timeouts;
    timeouts.resolve = timeouts.connect = timeouts.handshake = kDeadline;
    config::Health health;
    health.check = config::Check::tls;
    health.interval = Millis(10);
    health.timeout = kDeadline;
    serve({target_at(silent.address())}, timeouts, health);
    checks = std::make_unique<HealthChecks>(surroundings, handle, [](const TargetChange&) {});
    checks->set_layout(layout);
  }
  [[nodiscard]] Fd wait_for_check() {
    Fd server;
    turn_until(loop, [&] {
      server = silent.accept();
      return server.valid();
    });
    turn(2);
    return server;
  }
  [[nodiscard]] std::size_t failed_checks() const {
    return static_cast<std::size_t>(
        std::count_if(log.notices.begin(), log.notices.end(),
                      [](const std::string& text) { return text.starts_with("check of "); }));
  }
};

}  // namespace

TEST_CASE("a check whose time is over in the turn in which its server closes fails once") {
  for (const Millis late : {Millis(5), Millis(5) + uv::Loop::kLate}) {
    Checked checked;
    Fd server = checked.wait_for_check();
    checked.block_until(std::chrono::steady_clock::now() + Checked::kDeadline + late);
    server.reset();
    turn_until(checked.loop, [&] { return checked.failed_checks() > 0; });
    CHECK(checked.failed_checks() == 1);
    server = checked.wait_for_check();  // and the next one comes
  }
}

TEST_CASE("a target that goes while it is checked takes its check along") {
  Checked checked;
  Fd server = checked.wait_for_check();
  server.reset();
  checked.checks->set_layout(checked.handle.life->backend.build(
      {}, checked.handle.settings().balance, balance::rules_of({}), TimePoint{}));
  checked.block_until(std::chrono::steady_clock::now() + Checked::kDeadline + Millis(5));
  checked.turn(5);
  CHECK(checked.failed_checks() == 0);
}

}  // namespace tunnel::health_check_test
