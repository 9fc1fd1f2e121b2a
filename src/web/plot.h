// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tunnel::web {

// A small plot as an SVG element: lines over the last ten minutes. Pure.
class Plot {
 public:
  struct Line {
    std::string_view name;
    std::string_view style;  // a class of the page's style: lines differ in more than their colour
    std::vector<std::optional<double>> values;  // nothing: a gap
  };
  std::string_view title;
  std::vector<double> ages;  // seconds ago, of each value; the oldest first
  std::vector<Line> lines;
  std::string (*label)(double value) = nullptr;  // of the highest value

  [[nodiscard]] std::string svg() const;

 private:
  [[nodiscard]] std::vector<std::string> pieces(const Line& line, double highest) const;
};

}  // namespace tunnel::web
