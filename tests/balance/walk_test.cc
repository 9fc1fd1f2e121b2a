// SPDX-License-Identifier: MIT
#include "balance/walk.h"

#include <doctest/doctest.h>

#include <set>

#include "fixture.h"

namespace tunnel::balance::walk_test {

namespace {

using config::Balance;
using Names = std::vector<std::string>;
using Step = Walk::Step;

constexpr Balance kPolicies[] = {Balance::round_robin, Balance::least_connections, Balance::random,
                                 Balance::hash, Balance::first};

}  // namespace

TEST_CASE("a walk tries every target once, the groups in order, under every policy") {
  for (const Balance policy : kPolicies) {
    CAPTURE(static_cast<int>(policy));
    for (int i = 0; i < 50; ++i) {
      Room room(groups({{{"a"}, {"b"}, {"c", 7}}, {{"d"}, {"e"}}, {{"f"}}}), policy);
      room.random = Random(static_cast<std::uint64_t>(i));
      const Names order = room.tour();
      REQUIRE(order.size() == 6);
      CHECK(std::set<std::string>(order.begin(), order.begin() + 3) ==
            std::set<std::string>{"a", "b", "c"});
      CHECK(std::set<std::string>(order.begin() + 3, order.begin() + 5) ==
            std::set<std::string>{"d", "e"});
      CHECK(order[5] == "f");
    }
  }
}

TEST_CASE("a target named in two groups is one target, tried once") {
  Room room(groups({{{"a"}, {"b"}}, {{"b"}, {"c"}}}), Balance::first);
  CHECK(room.layout->targets().size() == 3);
  CHECK(room.tour() == Names{"a", "b", "c"});
}

TEST_CASE("an exhausted walk stays exhausted, and an empty service is exhausted at once") {
  Room room(groups({{{"a"}}}));
  Walk dial = room.walk();
  Walk::Next next = dial.next(room.now());
  CHECK(next.step == Step::claimed);
  (void)next.claim.failed(room.now(), Cause::target, room.random);
  CHECK(dial.next(room.now()).step == Step::exhausted);
  CHECK(dial.next(room.now()).step == Step::exhausted);

  Room empty(groups({}));
  CHECK(empty.tour().empty());
}

TEST_CASE("the next group serves when nothing of the one before can be chosen") {
  Room room(groups({{{"a"}, {"b"}}, {{"c"}}}));
  (void)room.eject("a");
  for (int i = 0; i < 10; ++i) CHECK(room.serve() == "b");
  (void)room.eject("b");
  for (int i = 0; i < 10; ++i) CHECK(room.serve() == "c");
}

TEST_CASE("no target is chosen while it is ejected, under any policy") {
  for (const Balance policy : kPolicies) {
    CAPTURE(static_cast<int>(policy));
    Room room(groups({{{"a"}, {"b"}, {"c"}}}), policy);
    const Millis duration = room.eject("b").duration;
    const TimePoint until = room.now() + duration;
    unsigned i = 0;
    for (; room.now() < until; room.clock.advance(Millis(10)), ++i) {
      CHECK(room.serve(client("10.0.0." + std::to_string(i % 256))) != "b");
    }
    CHECK(i > 300);
  }
}

TEST_CASE("a group that recovers serves again: its target is tried by the next connection") {
  Room room(groups({{{"a"}}, {{"b"}}}));
  const Millis duration = room.eject("a").duration;
  CHECK(room.serve() == "b");
  room.clock.advance(duration);
  CHECK(room.serve() == "a");
  CHECK(room.target("a").health().is_up());
}

TEST_CASE("a black-holed target costs one connection its timeout while the others go on") {
  Room room(groups({{{"hole"}, {"good"}}}), Balance::first);
  room.clock.advance(room.eject("hole").duration);
  Walk unlucky = room.walk();
  Walk::Next trial = unlucky.next(room.now());
  REQUIRE(trial.claim.target().text() == "hole");
  for (int i = 0; i < 100; ++i) {
    room.clock.advance(Millis(50));
    CHECK(room.serve() == "good");
  }
  const Transition again = trial.claim.failed(room.now(), Cause::target, room.random);
  CHECK(again.times == 2);
  CHECK(unlucky.next(room.now()).claim.target().text() == "good");
  CHECK(room.serve() == "good");
}

TEST_CASE("a trial whose client goes away leaves the trial to the next connection") {
  Room room(groups({{{"a"}, {"b"}}}), Balance::first);
  room.clock.advance(room.eject("a").duration);
  {
    Walk dial = room.walk();
    const Walk::Next next = dial.next(room.now());
    CHECK(next.claim.target().text() == "a");
    CHECK(room.serve() == "b");
  }
  CHECK(room.serve() == "a");
}

TEST_CASE("a trial that fails for a local cause proves nothing") {
  Room room(groups({{{"a"}, {"b"}}}), Balance::first);
  room.clock.advance(room.eject("a").duration);
  CHECK(room.tour(Cause::local) == Names{"a", "b"});
  CHECK(room.serve() == "a");
}

TEST_CASE("local causes never eject") {
  Room room(groups({{{"a"}, {"b"}}}), Balance::first);
  for (int i = 0; i < 20; ++i) CHECK(room.tour(Cause::local) == Names{"a", "b"});
  CHECK(room.target("a").health().is_up());
  CHECK(room.target("b").health().is_up());
}

TEST_CASE("when every target is ejected they are tried anyway, in order") {
  Room room(groups({{{"a"}, {"b"}}, {{"c"}}}), Balance::first);
  for (const char* name : {"a", "b", "c"}) (void)room.eject(name);
  CHECK(room.tour() == Names{"a", "b", "c"});
  CHECK(room.serve() == "a");  // which works, and is restored by that
  CHECK(room.target("a").health().is_up());
  CHECK_FALSE(room.target("b").health().is_up());
}

TEST_CASE("panic spreads over a group as the policy says") {
  Room room(groups({{{"a"}, {"b"}}}));
  (void)room.eject("a");
  (void)room.eject("b");
  Walk first = room.walk();
  Walk second = room.walk();
  const Walk::Next one = first.next(room.now());
  const Walk::Next two = second.next(room.now());
  CHECK(&one.claim.target() != &two.claim.target());
}

TEST_CASE("ejected targets are the last resort of a walk whose healthy ones have failed") {
  Room room(groups({{{"a"}, {"b"}}, {{"c"}}}), Balance::first);
  (void)room.eject("a");
  CHECK(room.tour() == Names{"b", "c", "a"});
  Room local(groups({{{"a"}, {"b"}}}), Balance::first);
  (void)local.eject("a");
  CHECK(local.tour(Cause::local) == Names{"b", "a"});
}

TEST_CASE("a target that its checks hold down is chosen only in panic") {
  HealthRules rules;
  rules.has_check = true;
  rules.fall = 1;
  Room room(groups({{{"a"}, {"b"}}}), Balance::first, rules);
  (void)room.target("a").checked(room.now(), CheckResult::failed, CheckDepth::full);
  room.clock.advance(Millis(3'600'000));
  CHECK(room.serve() == "b");
  (void)room.target("b").checked(room.now(), CheckResult::failed, CheckDepth::full);
  CHECK(room.serve() == "a");
}

TEST_CASE("a target ejected by somebody else during the walk is passed over") {
  Room room(groups({{{"a"}, {"b"}, {"c"}}}), Balance::first);
  Walk dial = room.walk();
  Walk::Next next = dial.next(room.now());
  CHECK(next.claim.target().text() == "a");
  (void)room.eject("b");
  (void)next.claim.failed(room.now(), Cause::target, room.random);
  CHECK(dial.next(room.now()).claim.target().text() == "c");
}

TEST_CASE("attempts begun together eject once") {
  Room room(groups({{{"a"}, {"b"}}}), Balance::first);
  std::vector<Claim> attempts;
  for (int i = 0; i < 10; ++i) {
    Walk dial = room.walk();
    attempts.push_back(dial.next(room.now()).claim);
  }
  int ejections = 0;
  for (Claim& attempt : attempts) {
    CHECK(attempt.target().text() == "a");
    const Transition transition = attempt.failed(room.now(), Cause::target, room.random);
    if (transition.change == Transition::Change::ejected) ++ejections;
  }
  CHECK(ejections == 1);
  room.clock.advance(Millis(6'000));
  CHECK(room.target("a").health().state(room.now()) == Health::State::trial);
}

TEST_CASE("a target rejected late, after each handshake, is still left alone longer and longer") {
  Room room(groups({{{"a"}, {"b"}}}), Balance::first);
  for (unsigned times = 1; times <= 4; ++times) {
    Claim claim = room.connect();
    REQUIRE(claim.target().text() == "a");
    const Transition late = claim.failed(room.now(), Cause::target, room.random);
    CHECK(late.change == Transition::Change::ejected);
    CHECK(late.times == times);
    CHECK(room.serve() == "b");
    room.clock.advance(late.duration);
  }
}

TEST_CASE("a drained target is never chosen, not even in panic") {
  for (const Balance policy : kPolicies) {
    CAPTURE(static_cast<int>(policy));
    Room room(groups({{{"a", 0}, {"b"}}, {{"c", 0}}}), policy);
    for (unsigned i = 0; i < 50; ++i) {
      CHECK(room.serve(client("10.0.0." + std::to_string(i))) == "b");
    }
    CHECK(room.tour() == Names{"b"});
    CHECK(room.tour() == Names{"b"});  // ejected now
  }
}

TEST_CASE("max_connections counts attempts that are still under way") {
  Room room(groups({{{"a", 1, 2}}}));
  Walk first = room.walk();
  Walk second = room.walk();
  Walk third = room.walk();
  Walk::Next one = first.next(room.now());
  const Walk::Next two = second.next(room.now());
  CHECK(room.target("a").in_flight() == 2);
  CHECK(third.next(room.now()).step == Step::wait);
  CHECK(third.is_waiting());
  CHECK(room.backend.waiting() == 1);
  CHECK(room.listener.calls == 0);
  one.claim.release();
  CHECK(room.listener.calls == 1);
  CHECK(third.next(room.now()).step == Step::claimed);
  CHECK_FALSE(third.is_waiting());
  CHECK(room.backend.waiting() == 0);
}

TEST_CASE("an established connection keeps its slot until it ends") {
  Room room(groups({{{"a", 1, 1}}}));
  Claim connection = room.connect();
  Claim moved = std::move(connection);
  CHECK_FALSE(connection);
  CHECK(room.target("a").in_flight() == 1);
  CHECK(room.serve().empty());
  moved = Claim();
  CHECK(room.target("a").in_flight() == 0);
  CHECK(room.serve() == "a");
}

TEST_CASE("a full target sends connections to the next group before they wait") {
  Room room(groups({{{"a", 1, 1}}, {{"b", 1, 1}}}));
  const Claim a = room.connect();
  const Claim b = room.connect();
  CHECK(a.target().text() == "a");
  CHECK(b.target().text() == "b");
  Walk third = room.walk();
  const Walk::Next next = third.next(room.now());
  CHECK(next.step == Step::wait);
  CHECK_FALSE(next.retry_at.has_value());
}

TEST_CASE("a walk waits for a healthy full target, and says when an ejected one may be tried") {
  Room room(groups({{{"full", 1, 1}, {"bad"}}}), Balance::first);
  const Claim held = room.connect();
  const TimePoint until = room.now() + room.eject("bad").duration;
  Walk dial = room.walk();
  Walk::Next next = dial.next(room.now());
  CHECK(next.step == Step::wait);
  REQUIRE(next.retry_at.has_value());
  CHECK(*next.retry_at == until);
  room.clock.advance(until - room.now());
  next = dial.next(room.now());
  CHECK(next.step == Step::claimed);
  CHECK(next.claim.target().text() == "bad");
  // Another walk, while that trial is under way, looks again before long.
  Walk other = room.walk();
  const Walk::Next patience = other.next(room.now());
  CHECK(patience.step == Step::wait);
  REQUIRE(patience.retry_at.has_value());
  CHECK(*patience.retry_at > room.now());
  CHECK(*patience.retry_at <= room.now() + Millis(1'000));
}

TEST_CASE("who waits is told when an ejected target is restored") {
  HealthRules rules;
  rules.has_check = true;
  Room room(groups({{{"full", 1, 1}, {"bad"}}}), Balance::first, rules);
  const Claim held = room.connect();
  (void)room.eject("bad");
  Walk dial = room.walk();
  CHECK(dial.next(room.now()).step == Step::wait);
  room.listener.calls = 0;
  (void)room.target("bad").checked(room.now(), CheckResult::passed, CheckDepth::full);
  CHECK(room.listener.calls == 1);
  CHECK(dial.next(room.now()).claim.target().text() == "bad");

  (void)room.eject("bad");
  Walk again = room.walk();
  CHECK(again.next(room.now()).step == Step::wait);
  Claim lucky = Claim::take(room.target("bad"), std::nullopt, Claim::Mode::panic, room.now());
  room.listener.calls = 0;
  (void)lucky.established(room.now());
  CHECK(room.listener.calls == 1);
}

TEST_CASE("in panic, full targets are waited for") {
  Room room(groups({{{"a", 1, 1}}}));
  const Claim held = room.connect();
  (void)room.eject("a");
  Walk dial = room.walk();
  const Walk::Next next = dial.next(room.now());
  CHECK(next.step == Step::wait);
  CHECK(next.retry_at.has_value());
}

TEST_CASE("a walk that ends while it waits is no longer counted, and nobody is told in vain") {
  Room room(groups({{{"a", 1, 1}}}));
  Claim held = room.connect();
  {
    Walk dial = room.walk();
    CHECK(dial.next(room.now()).step == Step::wait);
    CHECK(dial.next(room.now()).step == Step::wait);
    CHECK(room.backend.waiting() == 1);
  }
  CHECK(room.backend.waiting() == 0);
  held.release();
  CHECK(room.listener.calls == 0);
}

TEST_CASE("a walk follows a new layout and does not repeat what it has tried") {
  Room room(groups({{{"a"}, {"b"}}}), Balance::first);
  Walk dial = room.walk();
  Walk::Next next = dial.next(room.now());
  (void)next.claim.failed(room.now(), Cause::target, room.random);
  room.layout = room.backend.build(groups({{{"a"}, {"c"}}}), Balance::first, {}, {});
  dial.move_to(room.layout);
  next = dial.next(room.now());
  CHECK(next.claim.target().text() == "c");
  (void)next.claim.failed(room.now(), Cause::target, room.random);
  CHECK(dial.next(room.now()).step == Step::exhausted);
}

}  // namespace tunnel::balance::walk_test
