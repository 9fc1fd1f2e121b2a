// SPDX-License-Identifier: MIT
// The page's plots.
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "admin/short_text.h"
#include "web/page_parts.h"
#include "web/plot.h"

namespace tunnel::web {

using admin::short_bytes;

void add_plots(const History& history, Html& html) {
  const std::vector<History::Point> points = history.points();
  html.add("<h2>Last ten minutes</h2>");
  if (points.empty()) {
    html.add("<p>Nothing yet: the first points come within ten seconds.</p>");
    return;
  }
  std::vector<double> ages;
  std::vector<std::optional<double>> up, down, connections, median, p99;
  for (const History::Point& point : points) {
    ages.push_back(point.age);
    up.push_back(point.bytes_up);
    down.push_back(point.bytes_down);
    connections.push_back(point.connections);
    median.push_back(point.dial_median);
    p99.push_back(point.dial_p99);
  }
  html.add(Plot{
      .title = "Throughput",
      .ages = ages,
      .lines = {{"from clients", "first", up}, {"to clients (dashed)", "second", down}},
      .label = [](double value) {
        return short_bytes(value) + "/s";
      }}.svg());
  html.add(Plot{
      .title = "Connections",
      .ages = ages,
      .lines = {{"open", "first", connections}},
      .label = [](double value) {
        return std::to_string(std::llround(value));
      }}.svg());
  html.add(Plot{
      .title = "Time until a target is established",
      .ages = ages,
      .lines = {{"median", "first", median}, {"99th percentile (dashed)", "second", p99}},
      .label = [](double value) {
        return std::to_string(std::llround(value * 1000)) + " ms";
      }}.svg());
}

}  // namespace tunnel::web
