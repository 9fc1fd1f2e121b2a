// SPDX-License-Identifier: MIT
#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <utility>
#include <vector>

#include "admin/status.h"
#include "base/tally.h"

namespace tunnel::web {

using Labels = std::vector<prometheus::ClientMetric::Label>;

inline double number(std::uint64_t value) { return static_cast<double>(value); }
inline double yes(bool is) { return is ? 1 : 0; }

// One family while it is filled; families do not move meanwhile.
class Family {
 public:
  explicit Family(prometheus::MetricFamily& family) : family_(family) {}

  void add(Labels labels, double value) {
    prometheus::ClientMetric& metric = family_.metric.emplace_back();
    metric.label = std::move(labels);
    const bool is_counter = family_.type == prometheus::MetricType::Counter;
    (is_counter ? metric.counter.value : metric.gauge.value) = value;
  }
  // One that nothing has been added to says nothing, and would be most of the text.
  void add(Labels labels, const HistogramReading& reading) {
    if (reading.count() == 0) return;
    prometheus::ClientMetric& metric = family_.metric.emplace_back();
    metric.label = std::move(labels);
    metric.histogram.sample_count = reading.count();
    metric.histogram.sample_sum = reading.sum;
    for (std::size_t i = 0; i < reading.cumulative.size(); ++i) {
      metric.histogram.bucket.push_back(
          {reading.cumulative[i], i < reading.bounds.size()
                                      ? reading.bounds[i]
                                      : std::numeric_limits<double>::infinity()});
    }
  }

 private:
  prometheus::MetricFamily& family_;
};

class Families {
 public:
  Family gauge(const char* name, const char* help) {
    return add(name, help, prometheus::MetricType::Gauge);
  }
  Family counter(const char* name, const char* help) {
    return add(name, help, prometheus::MetricType::Counter);
  }
  Family histogram(const char* name, const char* help) {
    return add(name, help, prometheus::MetricType::Histogram);
  }
  [[nodiscard]] std::vector<prometheus::MetricFamily> take() {
    std::vector<prometheus::MetricFamily> all;
    for (prometheus::MetricFamily& family : families_) {
      if (!family.metric.empty()) all.push_back(std::move(family));
    }
    return all;
  }

 private:
  Family add(const char* name, const char* help, prometheus::MetricType type) {
    return Family(families_.emplace_back(prometheus::MetricFamily{name, help, type, {}}));
  }
  std::deque<prometheus::MetricFamily> families_;
};

// The targets' part of metrics().
void add_targets(Families& families, const std::vector<admin::ServiceStatus>& services);

}  // namespace tunnel::web
