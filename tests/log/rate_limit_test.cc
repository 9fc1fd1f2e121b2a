// SPDX-License-Identifier: MIT
#include "log/rate_limit.h"

#include <doctest/doctest.h>

#include "support/virtual_clock.h"

namespace tunnel::log {

using namespace std::chrono_literals;

TEST_CASE("the first line of a key is written, repeats are counted until the window ends") {
  test::VirtualClock clock;
  RateLimit limit(clock, 10s);
  CHECK(limit.admit("refused").write);
  for (int i = 0; i < 5; ++i) CHECK_FALSE(limit.admit("refused").write);
  clock.advance(9'999ms);
  CHECK_FALSE(limit.admit("refused").write);
  clock.advance(1ms);
  const RateLimit::Verdict verdict = limit.admit("refused");
  CHECK(verdict.write);
  CHECK(verdict.suppressed == 6);
  clock.advance(10s);
  CHECK(limit.admit("refused").suppressed == 0);
}

TEST_CASE("keys do not hold back one another") {
  test::VirtualClock clock;
  RateLimit limit(clock, 10s);
  CHECK(limit.admit("a").write);
  CHECK(limit.admit("b").write);
  CHECK_FALSE(limit.admit("a").write);
}

TEST_CASE("a peer that makes up keys cannot fill the memory, and the oldest key goes first") {
  test::VirtualClock clock;
  RateLimit limit(clock, 1h);
  for (std::size_t i = 0; i < 3 * RateLimit::kMaxKeys; ++i) {
    clock.advance(1ms);
    CHECK(limit.admit(std::to_string(i)).write);
  }
  CHECK(limit.key_count() == RateLimit::kMaxKeys);
  CHECK_FALSE(limit.admit(std::to_string(3 * RateLimit::kMaxKeys - 1)).write);
  CHECK(limit.admit("0").write);
}

TEST_CASE("keys are compared by their first bytes only") {
  test::VirtualClock clock;
  RateLimit limit(clock, 1h);
  const std::string key(RateLimit::kMaxKeyBytes, 'k');
  CHECK(limit.admit(key + "one").write);
  CHECK_FALSE(limit.admit(key + "two").write);
}

}  // namespace tunnel::log
