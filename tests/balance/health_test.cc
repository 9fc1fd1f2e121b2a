// SPDX-License-Identifier: MIT
#include "balance/health.h"

#include <doctest/doctest.h>

#include <string>

#include "support/virtual_clock.h"

namespace tunnel::balance::health_test {

namespace {

using Change = Transition::Change;
using Source = Transition::Source;
using State = Health::State;

struct Bench {
  explicit Bench(HealthRules rules = {}) : health(rules) {}

  Transition fail() { return health.failed(clock.now(), health.epoch(), 0, random); }
  Transition check(CheckResult result, CheckDepth depth = CheckDepth::full) {
    return health.checked(clock.now(), result, depth);
  }
  [[nodiscard]] State state() const { return health.state(clock.now()); }
  void wait_out() { clock.advance(health.ejected_until() - clock.now()); }

  test::VirtualClock clock;
  Random random{7};
  Health health;
};

HealthRules with_check(int fall = 3, int rise = 2) {
  return {.eject_time = Millis(5'000),
          .eject_max = Millis(60'000),
          .has_check = true,
          .fall = fall,
          .rise = rise};
}

// "+" and "-" are checks that passed and failed; the answer has the state after each.
std::string states_after(Bench& bench, const std::string& checks) {
  std::string states;
  for (const char c : checks) {
    (void)bench.check(c == '+' ? CheckResult::passed : CheckResult::failed);
    if (!states.empty()) states += ", ";
    states += bench.health.check_text();
  }
  return states;
}

}  // namespace

TEST_CASE("why a target is out is known for as long as it is") {
  Bench bench(with_check(1, 1));
  CHECK_FALSE(bench.health.outage());
  (void)bench.health.failed(bench.clock.now(), bench.health.epoch(), 0, bench.random,
                            {Kind::connect_refused, "refused"});
  const TimePoint since = bench.clock.now();
  bench.wait_out();
  // Ejected again after its trial: out since the first time, for the newest reason.
  (void)bench.health.failed(bench.clock.now(), bench.health.epoch(), 0, bench.random,
                            {Kind::tls_timeout, "silent"});
  REQUIRE(bench.health.outage());
  CHECK(bench.health.outage()->since == since);
  CHECK(bench.health.outage()->reason.kind == Kind::tls_timeout);
  CHECK(bench.health.outage()->reason.text == "silent");
  (void)bench.health.succeeded(bench.clock.now());
  CHECK_FALSE(bench.health.outage());
  (void)bench.health.checked(bench.clock.now(), CheckResult::failed, CheckDepth::full,
                             {Kind::check_failed, "unwell"});
  CHECK(bench.health.outage()->reason.text == "unwell");
}

TEST_CASE("a failed dial ejects at once, for the eject time with its jitter") {
  Bench bench;
  CHECK(bench.state() == State::up);
  const Transition transition = bench.fail();
  CHECK(transition.change == Change::ejected);
  CHECK(transition.source == Source::dial);
  CHECK(transition.times == 1);
  CHECK(transition.duration >= Millis(4'000));
  CHECK(transition.duration <= Millis(6'000));
  CHECK(bench.state() == State::ejected);
  bench.clock.advance(transition.duration - Millis(1));
  CHECK(bench.state() == State::ejected);
  bench.clock.advance(Millis(1));
  CHECK(bench.state() == State::trial);
}

TEST_CASE("jitter uses its whole range and never leaves it") {
  Millis shortest = Millis::max();
  Millis longest = Millis(0);
  Bench bench;
  for (int i = 0; i < 2'000; ++i) {
    const Millis duration = bench.fail().duration;
    CHECK(duration >= Millis(4'000));
    CHECK(duration <= Millis(6'000));
    shortest = std::min(shortest, duration);
    longest = std::max(longest, duration);
    (void)bench.health.succeeded(bench.clock.now());
  }
  CHECK(shortest < Millis(4'050));
  CHECK(longest > Millis(5'950));
}

TEST_CASE("each ejection in a row lasts twice as long, up to the maximum") {
  Bench bench;
  const int expected[] = {5'000, 10'000, 20'000, 40'000, 60'000, 60'000, 60'000};
  unsigned times = 0;
  for (const int millis : expected) {
    const Transition transition = bench.fail();
    CHECK(transition.change == Change::ejected);
    CHECK(transition.times == ++times);
    CHECK(transition.duration >= Millis(millis * 8 / 10));
    CHECK(transition.duration <= Millis(millis * 12 / 10));
    bench.wait_out();
  }
  for (int i = 0; i < 100; ++i) {  // no number of ejections overflows
    CHECK(bench.fail().duration <= Millis(72'000));
    bench.wait_out();
  }
}

TEST_CASE("an eject time that does not double into the maximum still ends at the maximum") {
  HealthRules rules;
  rules.eject_time = Millis(7'000);
  rules.eject_max = Millis(10'000);
  Bench bench(rules);
  (void)bench.fail();
  bench.wait_out();
  const Millis second = bench.fail().duration;
  CHECK(second >= Millis(8'000));
  CHECK(second <= Millis(12'000));
}

TEST_CASE("an eject time that is longer than the maximum is the maximum") {
  HealthRules rules;
  rules.eject_time = Millis(120'000);
  Bench bench(rules);
  for (int i = 0; i < 3; ++i) {
    const Millis out = bench.fail().duration;
    CHECK(out >= Millis(96'000));
    CHECK(out <= Millis(144'000));
    bench.wait_out();
  }
}

TEST_CASE("the first success restores, says how long it took, and resets the back-off") {
  Bench bench;
  (void)bench.fail();
  bench.wait_out();
  (void)bench.fail();
  const TimePoint start = bench.clock.now();
  bench.wait_out();
  const Transition restored = bench.health.succeeded(bench.clock.now()).transition;
  CHECK(restored.change == Change::restored);
  CHECK(restored.source == Source::dial);
  CHECK(restored.duration > bench.clock.now() - start);  // both ejections
  CHECK(bench.state() == State::up);
  CHECK(bench.health.succeeded(bench.clock.now()).transition.change == Change::none);
  CHECK(bench.fail().times == 1);
}

TEST_CASE("since when a target is up again is known, and nothing of one that was never out") {
  Bench bench;
  (void)bench.health.succeeded(bench.clock.now());
  CHECK_FALSE(bench.health.restored_at());
  (void)bench.fail();
  CHECK_FALSE(bench.health.restored_at());
  bench.wait_out();
  (void)bench.health.succeeded(bench.clock.now());
  CHECK(bench.health.restored_at() == bench.clock.now());
}

TEST_CASE("attempts begun before an ejection do not count again") {
  Bench bench;
  const std::uint32_t epoch = bench.health.epoch();
  CHECK(bench.health.failed(bench.clock.now(), epoch, 0, bench.random).change == Change::ejected);
  const TimePoint until = bench.health.ejected_until();
  for (int i = 0; i < 5; ++i) {
    bench.clock.advance(Millis(100));
    CHECK(bench.health.failed(bench.clock.now(), epoch, 0, bench.random).change == Change::none);
  }
  CHECK(bench.health.ejected_until() == until);
  // Not even after the time has run out, or the target has been restored.
  bench.wait_out();
  CHECK(bench.health.failed(bench.clock.now(), epoch, 0, bench.random).change == Change::none);
  (void)bench.health.succeeded(bench.clock.now());
  CHECK(bench.health.failed(bench.clock.now(), epoch, 0, bench.random).change == Change::none);
  CHECK(bench.state() == State::up);
}

TEST_CASE("attempts made while ejected, for want of anything else, do not lengthen the ejection") {
  Bench bench;
  (void)bench.fail();
  const TimePoint until = bench.health.ejected_until();
  bench.clock.advance(Millis(1'000));
  CHECK(bench.fail().change == Change::none);
  CHECK(bench.health.ejected_until() == until);
}

TEST_CASE("two attempts that fail after the time ran out double it once") {
  Bench bench;
  (void)bench.fail();
  const std::uint32_t epoch = bench.health.epoch();
  bench.wait_out();
  CHECK(bench.health.failed(bench.clock.now(), epoch, 0, bench.random).times == 2);
  CHECK(bench.health.failed(bench.clock.now(), epoch, 0, bench.random).change == Change::none);
}

TEST_CASE("one attempt at a time is on trial, and nobody else sees the target before its end") {
  Bench bench;
  CHECK_FALSE(bench.health.take_trial(bench.clock.now()));  // it is up
  (void)bench.fail();
  CHECK_FALSE(bench.health.take_trial(bench.clock.now()));  // too early
  bench.wait_out();
  CHECK(bench.state() == State::trial);
  CHECK(bench.health.take_trial(bench.clock.now()));
  CHECK(bench.state() == State::ejected);
  CHECK_FALSE(bench.health.take_trial(bench.clock.now()));
  bench.clock.advance(Millis(600'000));
  CHECK(bench.state() == State::ejected);
  bench.health.end_trial();  // given up without a verdict: the next one may
  CHECK(bench.state() == State::trial);
}

TEST_CASE("a late failure of an established dial goes on with the back-off it had forgiven") {
  Bench bench;
  (void)bench.fail();
  bench.wait_out();
  (void)bench.fail();
  bench.wait_out();
  const Health::Success success = bench.health.succeeded(bench.clock.now());
  CHECK(success.cleared == 2);
  const Transition late =
      bench.health.failed(bench.clock.now(), bench.health.epoch(), success.cleared, bench.random);
  CHECK(late.times == 3);
}

TEST_CASE("with an eject time of zero no dial ejects") {
  HealthRules rules;
  rules.eject_time = Millis(0);
  Bench bench(rules);
  CHECK(bench.fail().change == Change::none);
  CHECK(bench.state() == State::up);
}

TEST_CASE("checks take a target down after `fall` failures and up after `rise` passes") {
  Bench bench(with_check());
  CHECK(bench.health.check_text() == "UP");
  CHECK(states_after(bench, "--") == "UP 2/3, UP 1/3");
  CHECK(bench.state() == State::up);
  const Transition down = bench.check(CheckResult::failed);
  CHECK(down.change == Change::ejected);
  CHECK(down.source == Source::check);
  CHECK(bench.state() == State::ejected);
  CHECK(bench.health.ejected_until() == TimePoint::max());
  bench.clock.advance(Millis(3'000));
  CHECK(bench.check(CheckResult::passed).change == Change::none);
  CHECK(bench.health.check_text() == "DOWN 1/2");
  const Transition up = bench.check(CheckResult::passed);
  CHECK(up.change == Change::restored);
  CHECK(up.source == Source::check);
  CHECK(up.duration == Millis(3'000));
  CHECK(bench.state() == State::up);
}

TEST_CASE(
    "the counter is HAProxy's: a pass while up heals fully, a failure while down starts over") {
  Bench bench(with_check());
  CHECK(states_after(bench, "--+---") == "UP 2/3, UP 1/3, UP, UP 2/3, UP 1/3, DOWN");
  CHECK(states_after(bench, "+-++") == "DOWN 1/2, DOWN, DOWN 1/2, UP");
  Bench quick(with_check(1, 1));
  CHECK(states_after(quick, "-+-") == "DOWN, UP, DOWN");
  Bench slow(with_check(2, 4));
  CHECK(states_after(slow, "--+++-++++") ==
        "UP 1/2, DOWN, DOWN 1/4, DOWN 2/4, DOWN 3/4, DOWN, DOWN 1/4, DOWN 2/4, DOWN 3/4, UP");
}

TEST_CASE("a check that takes the whole path clears an ejection, a shallow one does not") {
  Bench bench(with_check());
  (void)bench.fail();
  CHECK(bench.check(CheckResult::passed, CheckDepth::shallow).change == Change::none);
  CHECK(bench.state() == State::ejected);
  const Transition restored = bench.check(CheckResult::passed, CheckDepth::full);
  CHECK(restored.change == Change::restored);
  CHECK(restored.source == Source::check);
  CHECK(bench.state() == State::up);
  CHECK(bench.fail().times == 1);
}

TEST_CASE("a target needs both its checks and its dials to be up") {
  Bench bench(with_check(1, 1));
  CHECK(bench.check(CheckResult::failed).change == Change::ejected);
  CHECK(bench.fail().change == Change::none);  // tried anyway; it was out already
  CHECK(bench.check(CheckResult::passed, CheckDepth::shallow).change == Change::none);
  CHECK(bench.state() == State::ejected);  // the dial's ejection still runs
  bench.wait_out();
  CHECK(bench.state() == State::trial);
  CHECK(bench.health.succeeded(bench.clock.now()).transition.change == Change::restored);

  Bench other(with_check(1, 1));
  (void)other.fail();
  (void)other.check(CheckResult::failed);
  CHECK(other.health.succeeded(other.clock.now()).transition.change == Change::none);
  CHECK(other.state() == State::ejected);  // its checks still say down
  CHECK(other.check(CheckResult::passed).change == Change::restored);
  CHECK(other.state() == State::up);
}

TEST_CASE("a reload that takes the check away brings up what only the check held down") {
  Bench bench(with_check(1, 1));
  (void)bench.check(CheckResult::failed);
  bench.health.set_rules(with_check(5, 5));
  CHECK(bench.health.check_text() == "DOWN");
  bench.health.set_rules(HealthRules{});
  CHECK(bench.state() == State::up);
  CHECK(bench.health.check_text() == "no check");
}

TEST_CASE("a reload keeps an ejection") {
  Bench bench;
  (void)bench.fail();
  bench.health.set_rules(with_check());
  CHECK(bench.state() == State::ejected);
  CHECK(bench.check(CheckResult::passed).change == Change::restored);
}

}  // namespace tunnel::balance::health_test
