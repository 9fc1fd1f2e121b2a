// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tunnel::web {

// A small plot as an SVG element: lines over the last ten minutes. Pure.
struct Plot {
  struct Line {
    std::string_view name;
    std::string_view style;  // a class of the page's style: lines differ in more than their colour
    std::vector<double> values;
  };
  std::string_view title;
  std::vector<double> ages;  // seconds ago, of each value; the oldest first
  std::vector<Line> lines;
  std::string (*label)(double value) = nullptr;  // of the highest value

  [[nodiscard]] std::string svg() const;
};

}  // namespace tunnel::web
