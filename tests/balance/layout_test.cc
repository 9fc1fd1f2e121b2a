// SPDX-License-Identifier: MIT
#include "balance/layout.h"

#include <doctest/doctest.h>

#include "fixture.h"

namespace tunnel::balance::layout_test {

TEST_CASE("the serving group is the first one with a healthy target") {
  Room room(groups({{{"a"}, {"b"}}, {{"c"}}}));
  CHECK(room.layout->serving_group() == 0);
  (void)room.eject("a");
  CHECK(room.layout->serving_group() == 0);
  (void)room.eject("b");
  CHECK(room.layout->serving_group() == 1);
  // That its time has run out does not make it usable yet: it has to prove itself.
  room.clock.advance(Millis(100'000));
  CHECK(room.layout->serving_group() == 1);
  (void)room.eject("c");
  CHECK_FALSE(room.layout->serving_group());
}

TEST_CASE("a group whose targets are drained or full does not serve") {
  Room room(groups({{{"a", 0}, {"b", 1, 1}}, {{"c"}}}));
  CHECK(room.layout->serving_group() == 0);
  const Claim claim = room.connect();
  CHECK(claim.target().text() == "b");
  CHECK(room.layout->serving_group() == 1);
}

TEST_CASE("a target belongs to the first group that names it") {
  Room room(groups({{{"a"}}, {{"b"}, {"a"}}}));
  CHECK(room.layout->group_of(room.target("a").id()) == 0);
  CHECK(room.layout->group_of(room.target("b").id()) == 1);
  CHECK_FALSE(room.layout->group_of(12345));
}

}  // namespace tunnel::balance::layout_test
