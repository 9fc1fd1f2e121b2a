// SPDX-License-Identifier: MIT
#include "uv/read_pace.h"

#include <doctest/doctest.h>

#include <vector>

#include "support/virtual_clock.h"

namespace tunnel::uv::testing {

namespace {

constexpr std::size_t kKiB = 1024;

// What a stream is told that brings `size` bytes every millisecond, in `reads` pieces.
std::vector<std::uint32_t> told(std::size_t size, int millis, std::size_t reads = 1) {
  test::VirtualClock clock;
  ReadPace pace;
  std::vector<std::uint32_t> answers;
  (void)pace.note(0, clock.now());
  for (int i = 0; i < millis; ++i) {
    for (std::size_t read = 0; read < reads; ++read) {
      if (const auto answer = pace.note(size / reads, clock.now())) answers.push_back(*answer);
    }
    clock.advance(Millis(1));
  }
  return answers;
}

}  // namespace

TEST_CASE("a slow stream is read at any byte") {
  for (const std::uint32_t answer : told(100 * kKiB, 50)) CHECK(answer == 1);
  CHECK(told(100 * kKiB, 50).size() == 12);
}

TEST_CASE("of a fast stream, what comes in half a millisecond is waited for, in steps") {
  const auto last = [](std::size_t size) { return told(size, 50, 8).back(); };
  CHECK(last(160 * kKiB) == 64 * kKiB);
  CHECK(last(300 * kKiB) == 128 * kKiB);
  CHECK(last(400 * kKiB) == 192 * kKiB);
  CHECK(last(600 * kKiB) == 256 * kKiB);
  CHECK(last(10'000 * kKiB) == 256 * kKiB);
}

TEST_CASE("nothing is said about a stream that has not been fast for some milliseconds") {
  CHECK(told(10'000 * kKiB, 4).empty());
  CHECK(told(10'000 * kKiB, 5).size() == 1);
}

TEST_CASE("a large read after a rest is no fast stream") {
  test::VirtualClock clock;
  ReadPace pace;
  for (int i = 0; i < 10; ++i) {
    clock.advance(Millis(1000));
    CHECK(pace.note(384 * kKiB, clock.now()) == 1);
  }
}

TEST_CASE("a stream that was fast and is no more is read at any byte again") {
  test::VirtualClock clock;
  ReadPace pace;
  const auto run = [&](std::size_t size) {
    std::uint32_t answer = 0;
    for (int i = 0; i < 20; ++i) {
      clock.advance(Millis(1));
      answer = pace.note(size, clock.now()).value_or(answer);
    }
    return answer;
  };
  CHECK(run(600 * kKiB) == 256 * kKiB);
  CHECK(run(20 * kKiB) == 1);
}

namespace {

// For how many milliseconds a stream must be fast until it is waited for.
int fast_for(ReadPace& pace, test::VirtualClock& clock) {
  for (int millis = 1; millis < 1000; ++millis) {
    clock.advance(Millis(1));
    const auto answer = pace.note(600 * kKiB, clock.now());
    if (answer && *answer > 1) return millis;
  }
  return 0;
}

}  // namespace

TEST_CASE("a stream whose bytes were held back must be fast for twice as long, up to a bound") {
  test::VirtualClock clock;
  ReadPace pace;
  (void)pace.note(0, clock.now());
  CHECK(fast_for(pace, clock) == 4);
  for (const int longer : {8, 16, 32, 64, 128, 256, 256, 256}) {
    pace.note_held_back(clock.now());
    CHECK(fast_for(pace, clock) == longer);
  }
}

TEST_CASE("a stream that goes on for long without being held back is trusted sooner again") {
  test::VirtualClock clock;
  ReadPace pace;
  (void)pace.note(0, clock.now());
  for (int i = 0; i < 3; ++i) pace.note_held_back(clock.now());
  CHECK(fast_for(pace, clock) == 32);  // from here on it is waited for
  for (const int shorter : {32, 16, 8, 4, 4}) {
    for (int i = 0; i < ReadPace::kGoodWindows; ++i) CHECK(fast_for(pace, clock) == shorter);
  }
}

TEST_CASE("answer after answer is held back a few times, and then hardly ever") {
  for (const int length : {1, 5, 12, 16, 32, 60}) {  // of an answer, milliseconds
    CAPTURE(length);
    test::VirtualClock clock;
    ReadPace pace;
    (void)pace.note(0, clock.now());
    int held_back = 0;
    std::uint32_t waits_for = 1;
    const TimePoint end = clock.now() + Millis(2000);
    while (clock.now() < end) {
      for (int millis = 0; millis < length; ++millis) {
        clock.advance(Millis(1));
        waits_for = pace.note(512 * kKiB, clock.now()).value_or(waits_for);
      }
      // Its last bytes are fewer than those that are waited for.
      if (waits_for == 1) continue;
      ++held_back;
      clock.advance(Millis(2));
      pace.note_held_back(clock.now());
      waits_for = 1;
    }
    CHECK(held_back >= 6);
    CHECK(held_back <= 16);
  }
}

}  // namespace tunnel::uv::testing
