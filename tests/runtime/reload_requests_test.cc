// SPDX-License-Identifier: MIT
#include "runtime/reload_requests.h"

#include <doctest/doctest.h>

namespace tunnel::runtime::reload_requests_test {

TEST_CASE("requests that come during a reload wait for the next one and get its answer together") {
  ReloadRequests requests;
  std::string heard;
  const auto ask = [&](const std::string& name) {
    requests.add(
        [&heard, name](const Reloaded& result) { heard += name + (result.is_done ? "+" : "-"); });
  };
  ask("a");
  requests.begin();
  CHECK_FALSE(requests.is_waiting());
  ask("b");
  ask("c");
  requests.answer_current({true, {}});
  CHECK(heard == "a+");
  CHECK(requests.is_waiting());
  requests.begin();
  requests.answer_current({false, {}});
  CHECK(heard == "a+b-c-");
  requests.answer_current({true, {}});
  CHECK(heard == "a+b-c-");
}

TEST_CASE("requests that wait can be answered without a reload, and those under way stay") {
  ReloadRequests requests;
  int current = 0;
  int waiting = 0;
  requests.add([&](const Reloaded&) { ++current; });
  requests.begin();
  requests.add([&](const Reloaded&) { ++waiting; });
  requests.answer_waiting({false, {}});
  CHECK(current == 0);
  CHECK(waiting == 1);
  requests.answer_current({true, {}});
  CHECK(current == 1);
}

}  // namespace tunnel::runtime::reload_requests_test
