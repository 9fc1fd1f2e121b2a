// SPDX-License-Identifier: MIT
#pragma once

#include "base/clock.h"

namespace tunnel::test {

// Time that stands still until a test moves it. One thread.
class VirtualClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override { return now_; }
  void advance(Millis by) { now_ += by; }

 private:
  TimePoint now_{Millis{1'000'000}};
};

}  // namespace tunnel::test
