// SPDX-License-Identifier: MIT
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

namespace tunnel::web {

// Metrics as text, in one of the two formats that Prometheus reads. Pure.
inline constexpr const char* kPrometheusType = "text/plain; version=0.0.4; charset=utf-8";
[[nodiscard]] std::string prometheus_text(const std::vector<prometheus::MetricFamily>& families);

inline constexpr const char* kOpenMetricsType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";
[[nodiscard]] std::string open_metrics_text(const std::vector<prometheus::MetricFamily>& families);

}  // namespace tunnel::web
