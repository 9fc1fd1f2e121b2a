// SPDX-License-Identifier: MIT
#include "web/chosen_connections.h"

#include <doctest/doctest.h>

namespace tunnel::web::chosen_connections_test {
namespace {

admin::Status status_of(const std::vector<std::pair<std::string, std::uint64_t>>& connections) {
  admin::Status status;
  status.connection_list.emplace();
  for (const auto& [service, id] : connections) {
    status.connection_list->push_back({.service = service,
                                       .id = id,
                                       .client = "c",
                                       .target = "t",
                                       .phase = "open",
                                       .idle = std::nullopt,
                                       .tls = ""});
  }
  return status;
}

std::vector<std::string> names_in(const admin::Json& listing) {
  std::vector<std::string> names;
  for (const admin::Json& each : listing["connections"]) {
    names.push_back(each["service"].get<std::string>() + std::to_string(each["conn"].get<int>()));
  }
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("without a limit all connections are listed, by service and number") {
  const admin::Json all = listing(status_of({{"b", 2}, {"a", 10}, {"b", 1}, {"a", 9}}), {});
  CHECK(names_in(all) == Names{"a9", "a10", "b1", "b2"});
  CHECK(all["total"] == 4);
  CHECK(all["next"].is_null());
}

TEST_CASE("pages follow one another although connections come and go") {
  const Query first{.limit = 2};
  const admin::Json one = listing(status_of({{"b", 2}, {"a", 10}, {"b", 1}, {"a", 9}}), first);
  CHECK(names_in(one) == Names{"a9", "a10"});
  CHECK(one["next"] == "a[10]");
  const Query second{.limit = 2, .after = one["next"]};
  // The one that the list went on from has gone, and one has come before it.
  const admin::Json two = listing(status_of({{"b", 2}, {"a", 7}, {"b", 1}, {"a", 9}}), second);
  CHECK(names_in(two) == Names{"b1", "b2"});
  CHECK(two["total"] == 4);
  CHECK(two["next"].is_null());
}

TEST_CASE("a page behind the last connection is empty, and nonsense begins at the first") {
  const admin::Status status = status_of({{"a", 1}, {"a", 2}});
  CHECK(names_in(listing(status, {.limit = 5, .after = "a[2]"})).empty());
  CHECK(names_in(listing(status, {.after = "a[18446744073709551615]"})).empty());
  for (const char* nonsense :
       {"a", "a[", "a[]", "a[x]", "a[1x]", "[", "]", "a[99999999999999999999]"}) {
    CAPTURE(nonsense);
    CHECK(names_in(listing(status, {.after = nonsense})).size() == 2);
  }
}

TEST_CASE("a list is of the service and with the text that are asked for") {
  const admin::Status status = status_of({{"a", 1}, {"b", 12}, {"b", 2}});
  CHECK(names_in(listing(status, {.service = "b"})) == Names{"b2", "b12"});
  const admin::Json some = listing(status, {.filter = "[1", .limit = 1});
  CHECK(names_in(some) == Names{"a1"});
  CHECK(some["total"] == 2);
}

TEST_CASE("where connections were not asked for none is listed") {
  CHECK(listing({}, {})["connections"] == admin::Json::array());
}

}  // namespace tunnel::web::chosen_connections_test
