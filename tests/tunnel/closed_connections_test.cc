// SPDX-License-Identifier: MIT
#include "tunnel/closed_connections.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace tunnel::closed_connections_test {
namespace {

ConnectionRecord record(std::uint64_t id, std::string text = "") {
  return {.service = "ldap",
          .id = id,
          .client = "127.0.0.1:4711",
          .total = Millis(7),
          .outcome = {Kind::truncated, Side::server, std::move(text)}};
}

}  // namespace

TEST_CASE("of the connections that are over the last twenty are kept") {
  ClosedConnections closed;
  std::vector<ClosedView> views;
  closed.append_to(views);
  CHECK(views.empty());
  for (std::uint64_t id = 1; id <= 47; ++id) closed.note(TimePoint(Millis(id)), record(id));
  closed.append_to(views);
  REQUIRE(views.size() == ClosedConnections::kMost);
  std::sort(views.begin(), views.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  CHECK(views.front().id == 28);
  CHECK(views.back().id == 47);
}

TEST_CASE("one that is over is told as its closed line tells it, and no longer than a kilobyte") {
  ClosedConnections closed;
  closed.note(TimePoint(Millis(3)), record(1, std::string(5000, 'x')));
  closed.note(TimePoint(Millis(4)), record(2, "cut off"));
  std::vector<ClosedView> views;
  closed.append_to(views);
  REQUIRE(views.size() == 2);
  CHECK(views[0].outcome.text.size() == 1024);
  CHECK(views[1].service == "ldap");
  CHECK(views[1].target.empty());
  CHECK(views[1].outcome.kind == Kind::truncated);
  CHECK(views[1].outcome.side == Side::server);
  CHECK(views[1].outcome.text == "cut off");
  CHECK(views[1].total == Millis(7));
}

}  // namespace tunnel::closed_connections_test
