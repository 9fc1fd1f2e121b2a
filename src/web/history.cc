// SPDX-License-Identifier: MIT
#include "web/history.h"

#include <utility>

namespace tunnel::web {
namespace {

double seconds(Millis time) { return static_cast<double>(time.count()) / 1000; }

// A counter that went back is of other services than before: nothing is known of that time.
double rate(std::uint64_t before, std::uint64_t after, double time) {
  return after < before || time <= 0 ? 0 : static_cast<double>(after - before) / time;
}

// As Prometheus's histogram_quantile() has it: evenly spread within a range, and the last bound for
// what lies beyond it.
std::optional<double> quantile(double part, const HistogramReading& before,
                               const HistogramReading& now) {
  const auto old = [&](std::size_t range) {
    return range < before.cumulative.size() ? before.cumulative[range] : 0;
  };
  const auto count = [&](std::size_t range) {
    return static_cast<double>(now.cumulative[range] - old(range));
  };
  if (now.cumulative.empty()) return std::nullopt;
  // A histogram is summed over the services that there are, so a reload that removes one makes it
  // smaller.
  for (std::size_t range = 0; range < now.cumulative.size(); ++range) {
    if (now.cumulative[range] < old(range)) return std::nullopt;  // of other services than before
  }
  const double all = count(now.cumulative.size() - 1);
  if (all == 0) return std::nullopt;
  const double wanted = part * all;
  double below = 0;
  double lower = 0;
  for (std::size_t range = 0; range < now.bounds.size(); ++range) {
    const double upper = now.bounds[range];
    if (count(range) >= wanted) {
      return lower + (upper - lower) * (wanted - below) / (count(range) - below);
    }
    below = count(range);
    lower = upper;
  }
  return lower;
}

}  // namespace

void History::add(TimePoint at, const admin::Status& status) {
  Sample sample{.at = at, .connections = status.connections};
  // Two samples for the rates of each service, and the sums for the plots: a thousand services for
  // ten minutes would be too many.
  before_ = std::exchange(now_, {});
  for (const admin::ServiceStatus& service : status.services) {
    now_[service.name] = {service.accepted, service.bytes_up, service.bytes_down};
    sample.bytes_up += service.bytes_up;
    sample.bytes_down += service.bytes_down;
    sample.dials.add(service.counts.dial);
  }
  samples_.push_back(sample);
  if (samples_.size() > kMost) samples_.pop_front();
}

std::optional<History::Rates> History::rates_of(const std::string& service) const {
  const auto before = before_.find(service);
  const auto now = now_.find(service);
  if (before == before_.end() || now == now_.end()) return std::nullopt;
  const double time = seconds(samples_.back().at - samples_[samples_.size() - 2].at);
  return Rates{rate(before->second.accepted, now->second.accepted, time),
               rate(before->second.bytes_up, now->second.bytes_up, time),
               rate(before->second.bytes_down, now->second.bytes_down, time)};
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
                      .connections = static_cast<double>(now.connections),
                      .dial_median = quantile(0.5, before.dials, now.dials),
                      .dial_p99 = quantile(0.99, before.dials, now.dials)});
  }
  return points;
}

}  // namespace tunnel::web
