// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>

namespace tunnel {

using Millis = std::chrono::milliseconds;

// Monotonic time in milliseconds since an arbitrary start; never goes back.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Millis>;

// Where time comes from. Two implementations: the system's, and test::VirtualClock.
// `now` may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override {
    return std::chrono::time_point_cast<Millis>(std::chrono::steady_clock::now());
  }
};

}  // namespace tunnel
