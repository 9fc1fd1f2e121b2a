// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "admin/status.h"
#include "base/clock.h"

namespace tunnel::web {

// What the process did in the last ten minutes, one sample every kPeriod, for the plots of the
// page. Pure; one thread.
class History {
 public:
  static constexpr Millis kPeriod{5'000};
  static constexpr std::size_t kMost = 121;  // ten minutes, both ends

  void add(TimePoint at, const admin::Status& status);

  // Of the time from one sample to the next, the oldest first.
  struct Point {
    double age = 0;                       // seconds before the last sample
    double bytes_up = 0, bytes_down = 0;  // a second
    double connections = 0;               // at its end
    // Seconds from accepting a client until a target was established, of half and of 99 in 100 of
    // those that began to be served meanwhile; nothing when there were none.
    std::optional<double> dial_median, dial_p99;
  };
  [[nodiscard]] std::vector<Point> points() const;

  // Of one service, a second, from the last sample but one to the last; nothing for one that was
  // not there all the time.
  struct Rates {
    double accepted = 0, bytes_up = 0, bytes_down = 0;
  };
  [[nodiscard]] std::optional<Rates> rates_of(const std::string& service) const;

 private:
  struct Counters {
    std::uint64_t accepted = 0, bytes_up = 0, bytes_down = 0;
  };
  using Services = std::unordered_map<std::string, Counters>;
  struct Sample {
    TimePoint at;
    std::uint64_t bytes_up = 0, bytes_down = 0, connections = 0;
    HistogramReading dials{};  // of all services
  };
  std::deque<Sample> samples_;
  Services before_, now_;  // of the last two samples
};

}  // namespace tunnel::web
