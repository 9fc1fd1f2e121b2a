// SPDX-License-Identifier: MIT
#include "web/history.h"

#include <doctest/doctest.h>

#include <array>

namespace tunnel::web::history_test {
namespace {

TimePoint at(int seconds) { return TimePoint(std::chrono::seconds(seconds)); }

admin::Status status(std::uint64_t up, std::uint64_t connections) {
  admin::Status status;
  status.connections = connections;
  status.services.resize(2);
  status.services[0].bytes_up = up;
  status.services[1].bytes_down = 2 * up;
  return status;
}

}  // namespace

TEST_CASE("points are rates between samples, and the number of connections") {
  History history;
  CHECK(history.points().empty());
  history.add(at(10), status(0, 1));
  CHECK(history.points().empty());
  history.add(at(15), status(500, 7));
  history.add(at(25), status(500, 3));
  const auto points = history.points();
  REQUIRE(points.size() == 2);
  CHECK(points[0].age == 10);
  CHECK(points[0].bytes_up == 100);
  CHECK(points[0].bytes_down == 200);
  CHECK(points[0].connections == 7);
  CHECK(points[1].bytes_up == 0);
  CHECK(points[1].age == 0);
}

TEST_CASE("a service that has gone takes its counters along: that is no throughput") {
  History history;
  history.add(at(0), status(1'000'000, 1));
  history.add(at(5), status(10, 1));
  CHECK(history.points()[0].bytes_up == 0);
}

TEST_CASE("a service's rates are those of the last two samples, once it is in both") {
  History history;
  admin::Status status;
  CHECK_FALSE(history.rates_of("ldap"));
  status.services.resize(1);
  status.services[0].name = "ldap";
  history.add(at(0), status);
  CHECK_FALSE(history.rates_of("ldap"));
  status.services[0].accepted = 10;
  status.services[0].bytes_up = 500;
  history.add(at(5), status);
  REQUIRE(history.rates_of("ldap"));
  CHECK(history.rates_of("ldap")->accepted == 2);
  CHECK(history.rates_of("ldap")->bytes_up == 100);
  CHECK(history.rates_of("ldap")->bytes_down == 0);
  history.add(at(10), status);
  CHECK(history.rates_of("ldap")->accepted == 0);
  CHECK_FALSE(history.rates_of("imap"));
  history.add(at(15), {});
  CHECK_FALSE(history.rates_of("ldap"));
}

TEST_CASE("it holds ten minutes") {
  History history;
  for (int i = 0; i < 1000; ++i) history.add(at(5 * i), status(0, 0));
  CHECK(history.points().size() == History::kMost - 1);
  CHECK(history.points().front().age == 595);
}

TEST_CASE("dial times are those of the time between two samples") {
  static constexpr auto kBounds = std::to_array<double>({0.1, 1.0});
  History history;
  admin::Status status;
  status.services.resize(2);
  const auto sample = [&](int at, std::uint64_t fast, std::uint64_t all) {
    for (admin::ServiceStatus& service : status.services) {
      service.counts.dial = {.bounds = kBounds, .cumulative = {fast, all, all}};
    }
    history.add(TimePoint(std::chrono::seconds(at)), status);
  };
  sample(0, 100, 100);  // before the first sample, and so in no point
  sample(5, 100, 100);
  sample(10, 110, 110);
  sample(15, 110, 120);
  const auto points = history.points();
  CHECK_FALSE(points[0].dial_median);
  CHECK(*points[1].dial_median == doctest::Approx(0.05));
  CHECK(*points[1].dial_p99 == doctest::Approx(0.099));
  CHECK(*points[2].dial_median == doctest::Approx(0.55));
}

}  // namespace tunnel::web::history_test
