// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "admin/status.h"
#include "base/clock.h"

namespace tunnel::web {

// What the process did in the last ten minutes, one sample every kPeriod, for the plots of the page.
// Pure; one thread.
class History {
 public:
  static constexpr Millis kPeriod{5'000};
  static constexpr std::size_t kMost = 121;  // ten minutes, both ends

  void add(TimePoint at, const admin::Status& status);

  // Of the time from one sample to the next, the oldest first.
  struct Point {
    double age = 0;  // seconds before the last sample
    double bytes_up = 0, bytes_down = 0;  // a second
    double connections = 0;               // at its end
  };
  [[nodiscard]] std::vector<Point> points() const;

 private:
  struct Sample {
    TimePoint at;
    std::uint64_t bytes_up = 0, bytes_down = 0, connections = 0;
  };
  std::deque<Sample> samples_;
};

}  // namespace tunnel::web
