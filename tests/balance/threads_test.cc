// SPDX-License-Identifier: MIT
// Several workers at once; meant for ThreadSanitizer, and right without it.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "fixture.h"

namespace tunnel::balance::threads_test {

namespace {

constexpr int kWorkers = 4;

template <class Work>
void in_workers(Work work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kWorkers; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
}

struct Ignoring final : SlotListener {
  void on_slot_freed() override { calls.fetch_add(1); }
  std::atomic<int> calls{0};
};

}  // namespace

TEST_CASE("workers that choose at the same time share the turns exactly") {
  Room room(groups({{{"a", 3}, {"b", 2}, {"c", 1}}}));
  std::array<std::atomic<int>, 3> counts{};
  in_workers([&](int worker) {
    Random random(static_cast<std::uint64_t>(worker));
    for (int i = 0; i < 1'500; ++i) {
      Walk dial(room.layout, client(), random);
      const Walk::Next next = dial.next(room.now());
      counts[static_cast<std::size_t>(next.claim.target().text()[0] - 'a')].fetch_add(1);
    }
  });
  CHECK(counts[0] == 3'000);
  CHECK(counts[1] == 2'000);
  CHECK(counts[2] == 1'000);
}

TEST_CASE("workers together never exceed max_connections, and no slot is lost") {
  constexpr std::uint32_t kLimit = 3;
  Room room(groups({{{"a", 1, kLimit}, {"b", 1, kLimit}}}), config::Balance::least_connections);
  std::atomic<bool> is_exceeded{false};
  std::atomic<int> served{0};
  in_workers([&](int worker) {
    Random random(static_cast<std::uint64_t>(worker));
    std::vector<Claim> held;
    for (int i = 0; i < 3'000; ++i) {
      Walk dial(room.layout, client(), random);
      Walk::Next next = dial.next(room.now());
      if (next.step == Walk::Step::claimed) {
        served.fetch_add(1);
        if (next.claim.target().in_flight() > kLimit) is_exceeded = true;
        held.push_back(std::move(next.claim));
      }
      if (held.size() > 1) held.clear();
    }
  });
  CHECK_FALSE(is_exceeded);
  CHECK(served > 0);
  CHECK(room.target("a").in_flight() == 0);
  CHECK(room.target("b").in_flight() == 0);
  CHECK(room.backend.waiting() == 0);
}

TEST_CASE("of many workers, one is told of an ejection and one has the trial") {
  Room room(groups({{{"a"}}}));
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> ejected{0};
    std::vector<Claim> attempts;
    for (int i = 0; i < kWorkers; ++i) {
      attempts.push_back(
          Claim::take(room.target("a"), std::nullopt, Claim::Mode::panic, room.now()));
    }
    in_workers([&](int worker) {
      Random random(static_cast<std::uint64_t>(worker));
      const Transition transition =
          attempts[static_cast<std::size_t>(worker)].failed(room.now(), Cause::target, random);
      if (transition.change == Transition::Change::ejected) ejected.fetch_add(1);
    });
    CHECK(ejected == 1);
    room.clock.advance(Millis(100'000));
    std::array<Claim, kWorkers> trials;
    in_workers([&](int worker) {
      trials[static_cast<std::size_t>(worker)] =
          Claim::take(room.target("a"), std::nullopt, Claim::Mode::usable, room.now());
    });
    int on_trial = 0;
    for (Claim& claim : trials) {
      if (!claim) continue;
      ++on_trial;
      (void)claim.established(room.now());
    }
    CHECK(on_trial == 1);
    CHECK(room.target("a").health().is_up());
  }
}

TEST_CASE("whoever waits finds a slot that is freed at the same time, or is told of it") {
  Ignoring listener;
  Backend backend(&listener);
  const auto layout = backend.build(groups({{{"a", 1, 1}}}), config::Balance::first, {}, {});
  const TimePoint now{Millis(1)};
  for (int round = 0; round < 2'000; ++round) {
    Random random(1);
    Walk holder(layout, client(), random);
    Claim held = holder.next(now).claim;
    REQUIRE(held);
    const int calls_before = listener.calls;
    std::atomic<bool> is_started{false};
    std::thread releaser([&] {
      while (!is_started.load()) {
      }
      held.release();
    });
    Walk waiter(layout, client(), random);
    is_started = true;
    const Walk::Next next = waiter.next(now);
    releaser.join();
    if (next.step == Walk::Step::wait) CHECK(listener.calls > calls_before);
  }
}

TEST_CASE("layouts change and targets come, go, fail and recover under many workers") {
  Ignoring listener;
  Backend backend(&listener);
  HealthRules rules;
  rules.eject_time = Millis(2);
  rules.eject_max = Millis(8);
  const Arrangement arrangements[] = {
      groups({{{"a"}, {"b", 2}}, {{"c"}}}),
      groups({{{"b"}, {"d", 1, 2}}}),
      groups({{{"c", 3}, {"a", 0}}, {{"e", 1, 1}, {"d"}}}),
  };
  constexpr config::Balance kPolicies[] = {
      config::Balance::round_robin, config::Balance::least_connections, config::Balance::random,
      config::Balance::hash, config::Balance::first};
  // What a mailbox would do: a worker fetches the layout in force, nothing else is shared.
  std::mutex mutex;
  auto current = backend.build(arrangements[0], kPolicies[0], rules, {});
  std::atomic<bool> is_over{false};
  std::thread supervisor([&] {
    for (std::size_t i = 0; !is_over.load(); ++i) {
      auto layout = backend.build(arrangements[i % 3], kPolicies[i % 5], rules, {});
      const std::lock_guard lock(mutex);
      current.swap(layout);
    }
  });
  in_workers([&](int worker) {
    Random random(static_cast<std::uint64_t>(worker));
    std::vector<Claim> held;
    for (std::int64_t i = 1; i <= 2'000; ++i) {
      const TimePoint now{Millis(i)};
      std::shared_ptr<const Layout> layout;
      {
        const std::lock_guard lock(mutex);
        layout = current;
      }
      Walk dial(layout, client("10.0.0." + std::to_string(i % 256)), random);
      for (Walk::Next next = dial.next(now); next.step == Walk::Step::claimed;
           next = dial.next(now)) {
        if (random.below(3) == 0) {
          (void)next.claim.failed(now, Cause::target, random);
        } else {
          (void)next.claim.established(now);
          held.push_back(std::move(next.claim));
          break;
        }
      }
      for (Target* target : layout->targets()) {
        const auto result = random.below(4) == 0 ? CheckResult::failed : CheckResult::passed;
        if (random.below(8) == 0) (void)target->checked(now, result, CheckDepth::full);
      }
      if (held.size() > 10) {
        held.erase(held.begin() + static_cast<std::ptrdiff_t>(random.below(10)));
      }
    }
  });
  is_over = true;
  supervisor.join();
  CHECK(backend.waiting() == 0);
  for (const Target* target : current->targets()) CHECK(target->in_flight() == 0);
}

}  // namespace tunnel::balance::threads_test
