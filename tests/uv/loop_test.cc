// SPDX-License-Identifier: MIT
#include "uv/loop.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "support/sockets.h"
#include "uv/fd_watch.h"
#include "uv/signal.h"
#include "uv/timer.h"

namespace tunnel::uv::testing {

namespace {

struct Later final : Deferred {
  std::function<void()> what;
  explicit Later(std::function<void()> call) : what(std::move(call)) {}
  void on_end_of_turn() override { what(); }
};

}  // namespace

TEST_CASE("a loop that is made while others serve is refused for want of descriptors, not fatal") {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlimit none{0, limit.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const std::unique_ptr<Loop> refused = Loop::make();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(refused == nullptr);

  const std::unique_ptr<Loop> made = Loop::make();
  REQUIRE(made != nullptr);
  bool has_rung = false;
  Timer timer(*made, [&] {
    has_rung = true;
    made->stop();
  });
  timer.start(Millis{0});
  made->run();
  CHECK(has_rung);
}

TEST_CASE("the scratch buffers are as large as declared, and sealing the input fits the output") {
  Loop loop;
  CHECK(loop.input_scratch().size() == Loop::kInputSize);
  CHECK(loop.output_scratch().size() == Loop::kOutputSize);
  CHECK(loop.input_scratch().data() != loop.output_scratch().data());
  // TLS 1.2 CBC is the most expensive (header 5, IV 16, MAC 48, padding up to 16), in the smallest
  // records that a server may ask for.
  CHECK(Loop::kOutputSize >= Loop::kInputSize + (Loop::kInputSize / 512) * (5 + 16 + 48 + 16));
  std::memset(loop.input_scratch().data(), 1, Loop::kInputSize);
  std::memset(loop.output_scratch().data(), 1, Loop::kOutputSize);
}

TEST_CASE("deferred calls run in order, once each, after the turn's callbacks") {
  Loop loop;
  std::vector<int> order;
  Later first([&] { order.push_back(1); });
  Later second([&] { order.push_back(2); });
  Timer timer(loop, [&] {
    loop.at_end_of_turn(first);
    loop.at_end_of_turn(second);
    loop.at_end_of_turn(first);
    order.push_back(0);
  });
  timer.start(Millis(0));
  loop.run();
  CHECK(order == std::vector<int>{0, 1, 2});
}

TEST_CASE("a deferred call runs although nothing else keeps the loop busy") {
  Loop loop;
  bool has_run = false;
  Later later([&] { has_run = true; });
  loop.at_end_of_turn(later);
  CHECK_FALSE(has_run);
  loop.run();
  CHECK(has_run);
  has_run = false;
  loop.at_end_of_turn(later);  // a second time, after it ran
  loop.run();
  CHECK(has_run);
}

TEST_CASE("a deferred call may delete its object and queue others, which run in the same turn") {
  Loop loop;
  bool has_run = false;
  Later second([&] { has_run = true; });
  std::unique_ptr<Later> first;
  first = std::make_unique<Later>([&] {
    loop.at_end_of_turn(second);
    first.reset();
  });
  loop.at_end_of_turn(*first);
  (void)uv_run(loop.raw(), UV_RUN_NOWAIT);
  CHECK(has_run);
  CHECK(first == nullptr);
}

TEST_CASE("deferred calls left over run when the loop is destroyed") {
  bool has_run = false;
  Later later([&] { has_run = true; });
  {
    Loop loop;
    loop.at_end_of_turn(later);
  }
  CHECK(has_run);
}

TEST_CASE("stop ends run although handles are active") {
  Loop loop;
  Timer never(loop, [] {});
  never.start(std::chrono::hours(1));
  Timer soon(loop, [&] { loop.stop(); });
  soon.start(Millis(1));
  loop.run();
  CHECK(never.is_active());
}

TEST_CASE("a timer expires after its time, once, and not when it was stopped") {
  Loop loop;
  int expired = 0;
  Timer timer(loop, [&] { ++expired; });
  CHECK_FALSE(timer.is_active());
  timer.stop();
  timer.release();
  const TimePoint begin = SystemClock().now();
  timer.start(Millis(20));
  CHECK(timer.is_active());
  loop.run();
  CHECK(expired == 1);
  CHECK_FALSE(timer.is_active());
  CHECK(SystemClock().now() - begin >= Millis(19));

  timer.start(Millis(1));
  timer.stop();
  CHECK_FALSE(timer.is_active());
  loop.run();
  timer.start(Millis(1));
  timer.release();
  loop.run();
  CHECK(expired == 1);
  timer.start(Millis(-5));  // a deadline that has passed
  loop.run();
  CHECK(expired == 2);
}

TEST_CASE("starting a timer again moves its deadline") {
  Loop loop;
  std::vector<int> order;
  Timer moved(loop, [&] { order.push_back(1); });
  Timer other(loop, [&] { order.push_back(2); });
  moved.start(Millis(1));
  other.start(Millis(5));
  moved.start(Millis(30));
  loop.run();
  CHECK(order == std::vector<int>{2, 1});
}

TEST_CASE("a timer may start again, release or destroy itself when it expires") {
  Loop loop;
  int rounds = 0;
  std::unique_ptr<Timer> timer;
  // Captures too large for std::function's own storage, so that a sanitizer would see a misuse.
  const std::vector<int> ballast(4, 7);
  timer = std::make_unique<Timer>(loop, [&loop, &rounds, &timer, ballast] {
    CHECK(ballast[3] == 7);
    if (++rounds == 1) return timer->start(Millis(1));
    if (rounds == 2) {
      timer->release();
      return timer->start(Millis(1));
    }
    timer.reset();
    CHECK(loop.input_scratch().size() == Loop::kInputSize);
  });
  timer->start(Millis(1));
  loop.run();
  CHECK(rounds == 3);
  CHECK(timer == nullptr);
}

TEST_CASE("on a turn that comes late, what was sent in time is heard before a timer expires") {
  Talk talk(Pair::local());
  Timer deadline(talk.loop, [&] { talk.recorder.on_eof(); });
  talk.stream->start_reading();
  (void)uv_run(talk.loop.raw(), UV_RUN_NOWAIT);
  deadline.start(Millis(1));  // after that turn, which may take longer on a busy machine
  talk.peer.say("x");
  std::this_thread::sleep_for(Loop::kLate + Millis(20));
  CHECK(deadline.is_active());
  turn_until(talk.loop, [&] { return talk.recorder.has("eof"); });
  CHECK(talk.recorder.events == Log{"read", "eof"});
  CHECK_FALSE(deadline.is_active());
}

TEST_CASE(
    "a timer that is late may still be stopped, moved or destroyed by what was sent in time") {
  Talk talk(Pair::local());
  int expired = 0;
  Timer stopped(talk.loop, [&] { ++expired; });
  Timer moved(talk.loop, [&] { ++expired; });
  auto gone = std::make_unique<Timer>(talk.loop, [&] { ++expired; });
  talk.recorder.on_any = [&] {
    stopped.stop();
    moved.start(std::chrono::hours(1));
    gone.reset();
  };
  talk.stream->start_reading();
  (void)uv_run(talk.loop.raw(), UV_RUN_NOWAIT);
  for (Timer* timer : {&stopped, &moved, gone.get()}) timer->start(Millis(1));
  talk.peer.say("x");
  std::this_thread::sleep_for(Loop::kLate + Millis(20));
  turn_until(talk.loop, [&] { return !talk.recorder.bytes.empty(); });
  for (int i = 0; i < 3; ++i) (void)uv_run(talk.loop.raw(), UV_RUN_NOWAIT);
  CHECK(expired == 0);
  CHECK(moved.is_active());
}

TEST_CASE("a descriptor's readiness is told, as it is asked for") {
  Loop loop;
  const Pair pair = Pair::local();
  std::vector<FdWatch::Ready> seen;
  FdWatch watch(loop, pair.near.get(), [&](FdWatch::Ready ready) {
    seen.push_back(ready);
    loop.stop();
  });
  watch.watch(FdWatch::Read::yes, FdWatch::Write::no);
  pair.say("x");
  loop.run();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].readable);
  CHECK_FALSE(seen[0].writable);
  watch.watch(FdWatch::Read::yes, FdWatch::Write::yes);
  loop.run();
  REQUIRE(seen.size() == 2);
  CHECK(seen[1].writable);
  watch.watch(FdWatch::Read::no, FdWatch::Write::no);
  loop.run();
  CHECK(seen.size() == 2);
}

TEST_CASE("an error of a watched descriptor is told, and watching can begin again") {
  Loop loop;
  Pair pair = Pair::tcp();
  int errors = 0;
  std::unique_ptr<FdWatch> watch;
  watch = std::make_unique<FdWatch>(loop, pair.near.get(), [&](FdWatch::Ready ready) {
    CHECK(ready.uv_error == UV_EBADF);
    if (++errors == 1) return watch->watch(FdWatch::Read::yes, FdWatch::Write::no);
    watch.reset();
  });
  watch->watch(FdWatch::Read::yes, FdWatch::Write::no);
  pair.reset();
  loop.run();
  CHECK(errors == 2);
}

TEST_CASE("a signal is told on the loop, and its watch may be destroyed there") {
  Loop loop;
  int count = 0;
  std::unique_ptr<Signal> signal;
  signal = std::make_unique<Signal>(loop, SIGUSR2, [&] {
    if (++count == 2) return signal.reset();
    (void)::raise(SIGUSR2);
  });
  (void)::raise(SIGUSR2);
  loop.run();
  CHECK(count == 2);
}

}  // namespace tunnel::uv::testing
