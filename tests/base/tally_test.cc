// SPDX-License-Identifier: MIT
#include "base/tally.h"

#include <doctest/doctest.h>

namespace tunnel {
namespace {

constexpr auto kBounds = std::to_array<double>({.0005, .001, 10});

}  // namespace

TEST_CASE("a histogram tells microseconds apart, and adds them up") {
  Histogram<kBounds> histogram;
  for (const double value : {.0004, .0005, .000501, 11.}) histogram.observe(value);
  const HistogramReading reading = histogram.read();
  CHECK(reading.cumulative == std::vector<std::uint64_t>{2, 3, 3, 4});
  CHECK(reading.sum == doctest::Approx(11.001401).epsilon(1e-9));
}

TEST_CASE("readings are added up, whichever of them is empty") {
  Histogram<kBounds> histogram;
  histogram.observe(1);
  HistogramReading sum;
  sum.add(Histogram<kBounds>().read());
  CHECK(sum.count() == 0);
  sum.add(histogram.read());
  sum.add(histogram.read());
  sum.add({});
  CHECK(sum.cumulative == std::vector<std::uint64_t>{0, 0, 2, 2});
  CHECK(sum.sum == 2);
}

}  // namespace tunnel
