// SPDX-License-Identifier: MIT
#include "web/exposition.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>

namespace tunnel::web::exposition_test {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily counter() {
  MetricFamily family{"tunnel_bytes_total", "Bytes.", MetricType::Counter, {}};
  family.metric.emplace_back();
  family.metric[0].label = {{"service", "a\"b\\c\nd"}};
  family.metric[0].counter.value = 9007199254740992.0;
  return family;
}

MetricFamily histogram() {
  MetricFamily family{"tunnel_dial_seconds", "How long.", MetricType::Histogram, {}};
  family.metric.emplace_back();
  family.metric[0].histogram = {
      3, 1.5, {{1, .0005}, {2, 1}, {3, std::numeric_limits<double>::infinity()}}};
  return family;
}

}  // namespace

TEST_CASE("OpenMetrics names the family of a counter without _total, and ends") {
  CHECK(open_metrics_text({counter()}) ==
        "# TYPE tunnel_bytes counter\n"
        "# UNIT tunnel_bytes bytes\n"
        "# HELP tunnel_bytes Bytes.\n"
        "tunnel_bytes_total{service=\"a\\\"b\\\\c\\nd\"} 9007199254740992\n"
        "# EOF\n");
}

TEST_CASE("the bounds of a histogram are floating-point numbers") {
  CHECK(open_metrics_text({histogram()}) ==
        "# TYPE tunnel_dial_seconds histogram\n"
        "# UNIT tunnel_dial_seconds seconds\n"
        "# HELP tunnel_dial_seconds How long.\n"
        "tunnel_dial_seconds_bucket{le=\"0.0005\"} 1\n"
        "tunnel_dial_seconds_bucket{le=\"1.0\"} 2\n"
        "tunnel_dial_seconds_bucket{le=\"+Inf\"} 3\n"
        "tunnel_dial_seconds_count 3\n"
        "tunnel_dial_seconds_sum 1.5\n"
        "# EOF\n");
}

TEST_CASE("the older text has bounds as they were written") {
  const std::string text = prometheus_text({histogram()});
  CHECK(text.starts_with(
      "# HELP tunnel_dial_seconds How long.\n# TYPE tunnel_dial_seconds histogram\n"));
  for (const char* line : {"_bucket{le=\"0.0005\"} 1\n", "_bucket{le=\"1\"} 2\n",
                           "_bucket{le=\"+Inf\"} 3\n", "_count 3\n", "_sum 1.5\n"}) {
    CAPTURE(line);
    CHECK(text.find("\ntunnel_dial_seconds" + std::string(line)) != std::string::npos);
  }
}

TEST_CASE("nothing at all is a text all the same") {
  CHECK(open_metrics_text({}) == "# EOF\n");
  CHECK(prometheus_text({}).empty());
}

TEST_CASE("the older text has the whole name, whole numbers, and escaped labels") {
  const std::string text = prometheus_text({counter()});
  CHECK(text.find("# TYPE tunnel_bytes_total counter\n") != std::string::npos);
  CHECK(text.find("tunnel_bytes_total{service=\"a\\\"b\\\\c\\nd\"} 9007199254740992\n") !=
        std::string::npos);
}

}  // namespace tunnel::web::exposition_test
