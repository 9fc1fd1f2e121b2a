// SPDX-License-Identifier: MIT
#include "web/history.h"

namespace tunnel::web {
namespace {

double seconds(Millis time) { return static_cast<double>(time.count()) / 1000; }

// A counter that went back is of other services than before: nothing is known of that time.
double rate(std::uint64_t before, std::uint64_t after, double time) {
  return after < before || time <= 0 ? 0 : static_cast<double>(after - before) / time;
}

}  // namespace

void History::add(TimePoint at, const admin::Status& status) {
  Sample sample{.at = at, .connections = status.connections};
  for (const admin::ServiceStatus& service : status.services) {
    sample.bytes_up += service.bytes_up;
    sample.bytes_down += service.bytes_down;
  }
  samples_.push_back(sample);
  if (samples_.size() > kMost) samples_.pop_front();
}

std::vector<History::Point> History::points() const {
  std::vector<Point> points;
  for (std::size_t i = 1; i < samples_.size(); ++i) {
    const Sample& before = samples_[i - 1];
    const Sample& now = samples_[i];
    const double time = seconds(now.at - before.at);
    points.push_back({.age = seconds(samples_.back().at - now.at),
                      .bytes_up = rate(before.bytes_up, now.bytes_up, time),
                      .bytes_down = rate(before.bytes_down, now.bytes_down, time),
                      .connections = static_cast<double>(now.connections)});
  }
  return points;
}

}  // namespace tunnel::web
