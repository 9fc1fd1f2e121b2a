// SPDX-License-Identifier: MIT
#include "runtime/sentry.h"

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <semaphore>
#include <thread>
#include <vector>

#include "uv/timer.h"

namespace tunnel::runtime::sentry_test {
namespace {

void turn(uv::Loop& loop) { (void)uv_run(loop.raw(), UV_RUN_NOWAIT); }

// Writes down what a sentry does, for the test's thread to wait for.
struct Watched {
  std::atomic<int> signals{0};
  std::atomic<int> stalled{-1};
  std::atomic<int> status{-1};
  std::atomic<int> given_up{0};
  std::counting_semaphore<1000> signalled{0};
  std::counting_semaphore<1000> ended{0};
  std::function<void()> on_report = [] {};

  Sentry::Events events() {
    return {[this](int) {
              ++signals;
              signalled.release();
            },
            [this](std::size_t index) {
              stalled = static_cast<int>(index);
              on_report();
            },
            [this] { ++given_up; }};
  }
  Sentry::Settings settings(Millis look, Millis grace, Millis report = std::chrono::minutes(1)) {
    return {look, 3, grace, report, [this](int with) {
              status = with;
              ended.release();
            }};
  }
};

// A loop on a thread of its own, which can be made to stand still.
struct WorkerLoop {
  uv::Loop loop;
  Pulse pulse{loop};
  std::binary_semaphore is_stuck{0};
  std::binary_semaphore go_on{0};
  uv::Bell stick{loop, [this] {
                   is_stuck.release();
                   go_on.acquire();
                   loop.stop();
                 }};
  std::thread thread{[this] { loop.run(); }};
  ~WorkerLoop() { thread.join(); }
};

}  // namespace

TEST_CASE("a loop stands still for a minute before it counts as stalled") {
  CHECK(Sentry::Settings().look * Sentry::Settings().looks == std::chrono::seconds(60));
}

TEST_CASE("a loop that does not answer is found after so many looks, and not one earlier") {
  uv::Loop first, second;
  Pulse alive(first), silent(second);
  StallWatch watch({&alive, &silent}, 3);
  CHECK_FALSE(watch.look());  // asks
  for (int i = 0; i < 2; ++i) {
    turn(first);
    CHECK_FALSE(watch.look());
  }
  turn(first);
  CHECK(watch.look() == 1);
}

TEST_CASE("a loop that answers in time starts anew, however long the looks are apart") {
  uv::Loop loop;
  Pulse pulse(loop);
  StallWatch watch({&pulse}, 3);
  CHECK_FALSE(watch.look());
  for (int round = 0; round < 5; ++round) {
    CHECK_FALSE(watch.look());
    CHECK_FALSE(watch.look());
    turn(loop);
    CHECK_FALSE(watch.look());
  }
}

TEST_CASE("a loop that has been left owes no answer") {
  uv::Loop loop;
  Pulse pulse(loop);
  StallWatch watch({&pulse}, 1);
  CHECK_FALSE(watch.look());
  pulse.end();
  CHECK_FALSE(watch.look());
}

TEST_CASE("a worker that stands still is reported, and the process ended with 1") {
  WorkerLoop healthy, worker;
  worker.stick.ring();
  worker.is_stuck.acquire();
  Watched watched;
  {
    Sentry sentry({&healthy.pulse, &worker.pulse}, {}, watched.events(),
                  watched.settings(Millis(50), std::chrono::minutes(1)));
    REQUIRE(sentry.start());
    watched.ended.acquire();
  }
  CHECK(watched.stalled == 1);
  CHECK(watched.status == 1);
  worker.go_on.release();
  healthy.go_on.release();
  healthy.stick.ring();
}

TEST_CASE("a report that never ends does not keep the process") {
  WorkerLoop worker;
  worker.stick.ring();
  worker.is_stuck.acquire();
  static std::binary_semaphore never{0};
  static Watched watched;  // the thread that reports outlives the test
  watched.on_report = [] { never.acquire(); };
  {
    Sentry sentry({&worker.pulse}, {}, watched.events(),
                  watched.settings(Millis(5), Millis(5), Millis(5)));
    REQUIRE(sentry.start());
    watched.ended.acquire();
  }
  CHECK(watched.status == 1);
  worker.go_on.release();
}

TEST_CASE("loops that turn are left alone") {
  WorkerLoop worker;
  Watched watched;
  Sentry sentry({&worker.pulse}, {{}, {SIGUSR2}}, watched.events(),
                watched.settings(Millis(20), Millis(5)));
  REQUIRE(sentry.start());
  std::this_thread::sleep_for(Millis(300));
  (void)::raise(SIGUSR2);
  watched.signalled.acquire();
  CHECK(watched.stalled == -1);
  CHECK(watched.status == -1);
  worker.go_on.release();
  worker.stick.ring();
}

TEST_CASE("the first signal to stop is passed on, and the second one also ends the process soon") {
  WorkerLoop worker;
  Watched watched;
  Sentry sentry({&worker.pulse}, {{SIGUSR2}, {}}, watched.events(),
                watched.settings(std::chrono::minutes(1), Millis(20)));
  REQUIRE(sentry.start());
  (void)::raise(SIGUSR2);
  watched.signalled.acquire();
  CHECK_FALSE(watched.ended.try_acquire_for(Millis(100)));
  (void)::raise(SIGUSR2);
  watched.signalled.acquire();
  watched.ended.acquire();
  CHECK(watched.given_up == 1);
  CHECK(watched.status == 1);
  worker.go_on.release();
  worker.stick.ring();
}

TEST_CASE("who must be over within a time and is not, is ended; who is, is not") {
  Watched watched;
  {
    Sentry sentry({}, {}, watched.events(), watched.settings(Millis(1000), Millis(5)));
    REQUIRE(sentry.start());
    sentry.end_within(std::chrono::minutes(1));
  }
  CHECK(watched.status == -1);
  Sentry sentry({}, {}, watched.events(), watched.settings(Millis(1000), Millis(5)));
  REQUIRE(sentry.start());
  sentry.end_within(Millis(1));
  watched.ended.acquire();
  CHECK(watched.status == 1);
}

}  // namespace tunnel::runtime::sentry_test
