// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>

namespace tunnel {

using Millis = std::chrono::milliseconds;
using Micros = std::chrono::microseconds;

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

// How long something takes, where milliseconds are too coarse or a loop's cached time too old. Each
// reading asks the system's clock: for what happens a few times a connection.
class Stopwatch {
 public:
  void restart() { began_ = std::chrono::steady_clock::now(); }
  [[nodiscard]] Micros elapsed() const {
    return std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now() - began_);
  }

 private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace tunnel
