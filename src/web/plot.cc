// SPDX-License-Identifier: MIT
#include "web/plot.h"

#include <algorithm>
#include <cstdio>

#include "web/html.h"

namespace tunnel::web {
namespace {

// As the viewBox in svg() has them.
constexpr double kWidth = 300;
constexpr double kHeight = 80;
constexpr double kSpan = 600;  // seconds

std::string coordinate(double value) {
  char text[32];
  (void)std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

}  // namespace

// Between two gaps a line; one point alone is a short one, or it would not be seen.
std::vector<std::string> Plot::pieces(const Line& line, double highest) const {
  std::vector<std::string> all;
  std::size_t points = 0;  // of the last piece
  const auto end = [&] {
    // A polyline of one point draws nothing; twice the same point, with round ends, is a dot.
    if (points == 1) all.back() += " " + all.back();
    points = 0;
  };
  for (std::size_t i = 0; i < line.values.size() && i < ages.size(); ++i) {
    if (!line.values[i]) {
      end();
      continue;
    }
    const double x = kWidth - kWidth * std::min(ages[i], kSpan) / kSpan;
    const double y =
        highest > 0 ? kHeight - 1 - (kHeight - 2) * *line.values[i] / highest : kHeight - 1;
    if (points == 0) all.emplace_back();
    if (points > 0) all.back() += ' ';
    all.back() += coordinate(x) + "," + coordinate(y);
    ++points;
  }
  end();
  return all;
}

std::string Plot::svg() const {
  double highest = 0;
  for (const Line& line : lines) {
    for (const auto& value : line.values) highest = std::max(highest, value.value_or(0));
  }
  std::string names;
  for (const Line& line : lines) names += (names.empty() ? "" : ", ") + std::string(line.name);
  const std::string most = label(highest);
  Html html;
  html.add("<figure><figcaption>").text(title).add(": ").text(names).add("; highest ").text(most);
  html.add("</figcaption><svg viewBox=\"0 0 300 80\" role=img aria-label=\"")
      .text(title)
      .add(", last ten minutes, highest ")
      .text(most)
      .add("\"><path class=axis d=\"M0 79.5H300M0 0.5H300\"/>");
  for (const Line& line : lines) {
    for (const std::string& piece : pieces(line, highest)) {
      html.add("<polyline class=\"").add(line.style).add("\" points=\"").add(piece);
      html.add("\"><title>").text(line.name).add("</title></polyline>");
    }
  }
  return html.add("</svg></figure>").take();
}

}  // namespace tunnel::web
