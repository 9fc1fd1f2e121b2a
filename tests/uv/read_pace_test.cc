// SPDX-License-Identifier: MIT
#include "uv/read_pace.h"

#include <doctest/doctest.h>

#include <vector>

namespace tunnel::uv::testing {

namespace {

constexpr std::size_t kKiB = 1024;

// What a stream is told that brings `size` bytes every millisecond, in `reads` pieces.
std::vector<std::uint32_t> told(std::size_t size, int millis, std::size_t reads = 1) {
  VirtualClock clock;
  ReadPace pace;
  std::vector<std::uint32_t> answers;
  (void)pace.note(0, clock.now());
  for (int i = 0; i < millis; ++i) {
    for (std::size_t read = 0; read < reads; ++read)
      if (const auto answer = pace.note(size / reads, clock.now())) answers.push_back(*answer);
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
  VirtualClock clock;
  ReadPace pace;
  for (int i = 0; i < 10; ++i) {
    clock.advance(Millis(1000));
    CHECK(pace.note(384 * kKiB, clock.now()) == 1);
  }
}

TEST_CASE("a stream that was fast and is no more is read at any byte again") {
  VirtualClock clock;
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

}  // namespace tunnel::uv::testing
