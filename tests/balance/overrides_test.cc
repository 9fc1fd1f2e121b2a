// SPDX-License-Identifier: MIT
#include "balance/overrides.h"

#include <doctest/doctest.h>

#include "fixture.h"

namespace tunnel::balance::overrides_test {
namespace {

using What = Override::What;
using Names = std::vector<std::string>;

Endpoint endpoint(const char* host) { return place({host}).endpoint; }

Override given(What what, std::uint32_t weight = 0, std::optional<TimePoint> until = {}) {
  return {.what = what, .weight = weight, .uid = 1000, .pid = 42, .until = until};
}

}  // namespace

TEST_SUITE("overrides") {
  TEST_CASE("without overrides an arrangement stays what it is") {
    const Arrangement arrangement = groups({{{"a"}, {"b", 3}}});
    CHECK(Overrides().applied(arrangement) == arrangement);
  }

  TEST_CASE("drain is weight 0, weight another weight, and the last word counts") {
    const Arrangement arrangement = groups({{{"a", 2}, {"b", 3}}});
    Overrides overrides;
    overrides.set(endpoint("a"), given(What::weight, 7));
    CHECK(overrides.applied(arrangement)[0][0].weight == 7);
    overrides.set(endpoint("a"), given(What::drain));
    CHECK(overrides.applied(arrangement)[0][0].weight == 0);
    CHECK(overrides.entries().size() == 1);
    overrides.clear(endpoint("a"));
    CHECK(overrides.applied(arrangement) == arrangement);
  }

  TEST_CASE("a target with another certificate name is another target") {
    Overrides overrides;
    overrides.set(endpoint("a"), given(What::drain));
    Endpoint renamed = endpoint("a");
    renamed.name = "dc9.example.com";
    CHECK(overrides.find(renamed) == nullptr);
    CHECK(overrides.find(endpoint("a")) != nullptr);
  }

  TEST_CASE("an override ends by itself when its time is over") {
    test::VirtualClock clock;
    Overrides overrides;
    CHECK_FALSE(overrides.next_end().has_value());
    overrides.set(endpoint("a"), given(What::drain, 0, clock.now() + Millis(500)));
    overrides.set(endpoint("b"), given(What::drain, 0, clock.now() + Millis(100)));
    overrides.set(endpoint("c"), given(What::drain));
    CHECK(overrides.next_end() == clock.now() + Millis(100));
    CHECK_FALSE(overrides.expire(clock.now() + Millis(99)));
    CHECK(overrides.expire(clock.now() + Millis(100)));
    CHECK(overrides.find(endpoint("b")) == nullptr);
    CHECK(overrides.next_end() == clock.now() + Millis(500));
    CHECK(overrides.expire(clock.now() + Millis(500)));
    CHECK_FALSE(overrides.next_end().has_value());
    CHECK(overrides.find(endpoint("c")) != nullptr);
  }

  TEST_CASE("a target that has left takes its override along, and is named") {
    Overrides overrides;
    overrides.set(endpoint("a"), given(What::drain));
    overrides.set(endpoint("b"), given(What::eject));
    CHECK(overrides.keep_only(groups({{{"b"}}, {{"c"}}})) == Names{"a"});
    CHECK(overrides.entries().size() == 1);
    CHECK(overrides.keep_only(groups({{{"b"}}, {{"c"}}})).empty());
  }

  TEST_CASE("a drained target serves nobody, not even when all others are down") {
    Overrides overrides;
    overrides.set(endpoint("a"), given(What::drain));
    Room room(overrides.applied(groups({{{"a"}, {"b"}}})));
    CHECK(room.tour() == Names{"b"});
  }

  TEST_CASE("a target ejected by an operator serves only when nothing else can") {
    Overrides overrides;
    overrides.set(endpoint("a"), given(What::eject));
    Room room(overrides.applied(groups({{{"a"}, {"b"}}, {{"c"}}})));
    for (int i = 0; i < 4; ++i) CHECK(room.serve() == "b");
    CHECK(room.layout->serving_group() == 0);
    (void)room.eject("b");
    CHECK(room.serve() == "c");
    CHECK(room.layout->serving_group() == 1);
    (void)room.eject("c");
    CHECK(room.tour().front() == "a");
  }

  TEST_CASE("a walk does not wait for a target that only its operator can bring back") {
    Overrides overrides;
    overrides.set(endpoint("a"), given(What::eject));
    Room room(overrides.applied(groups({{{"a"}}})));
    CHECK(room.tour() == Names{"a"});
  }

  TEST_CASE("health and turns go on through an override and its end") {
    Room room(groups({{{"a"}, {"b"}}}));
    (void)room.eject("a");
    const std::uint64_t id = room.target("a").id();
    Overrides overrides;
    overrides.set(endpoint("a"), given(What::weight, 5));
    room.layout = room.backend.build(overrides.applied(groups({{{"a"}, {"b"}}})),
                                     config::Balance::round_robin, {}, {});
    CHECK(room.target("a").id() == id);
    CHECK_FALSE(room.target("a").health().is_up());
    CHECK(room.serve() == "b");
  }
}

}  // namespace tunnel::balance::overrides_test
