// SPDX-License-Identifier: MIT
#include "web/plot.h"

#include <algorithm>
#include <cstdio>

#include "web/html.h"

namespace tunnel::web {
namespace {

constexpr double kWidth = 300;
constexpr double kHeight = 80;
constexpr double kSpan = 600;  // seconds

std::string coordinate(double value) {
  char text[32];
  (void)std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

}  // namespace

std::string Plot::svg() const {
  double highest = 0;
  for (const Line& line : lines) {
    for (const double value : line.values) highest = std::max(highest, value);
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
    html.add("<polyline class=\"").add(line.style).add("\" points=\"");
    for (std::size_t i = 0; i < line.values.size() && i < ages.size(); ++i) {
      const double x = kWidth - kWidth * std::min(ages[i], kSpan) / kSpan;
      const double y = highest > 0 ? kHeight - 1 - (kHeight - 2) * line.values[i] / highest
                                   : kHeight - 1;
      html.add(i == 0 ? "" : " ").add(coordinate(x)).add(",").add(coordinate(y));
    }
    html.add("\"><title>").text(line.name).add("</title></polyline>");
  }
  return html.add("</svg></figure>").take();
}

}  // namespace tunnel::web
