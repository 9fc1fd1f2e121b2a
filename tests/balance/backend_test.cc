// SPDX-License-Identifier: MIT
#include "balance/backend.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>

#include "fixture.h"

namespace tunnel::balance::backend_test {

namespace {

using config::Balance;

}  // namespace

TEST_CASE("a new layout keeps health and counts of the targets that stay") {
  Room room(groups({{{"a"}, {"b"}}}), Balance::first);
  const Claim held = room.connect();
  (void)room.eject("b");
  Target* const a = &room.target("a");
  room.layout = room.backend.build(groups({{{"c"}, {"b"}, {"a", 5}}}), Balance::first, {}, {});
  CHECK(&room.target("a") == a);
  CHECK(room.target("a").in_flight() == 1);
  CHECK_FALSE(room.target("b").health().is_up());
  CHECK(room.target("c").health().is_up());
}

TEST_CASE("an ejected target that has left is remembered for a while, and then forgotten") {
  Room room(groups({{{"a"}, {"b"}}}), Balance::first);
  CHECK(room.eject("a").change == Transition::Change::ejected);
  const auto build = [&](const Arrangement& arrangement) {
    room.layout = room.backend.build(arrangement, Balance::first, {}, room.now());
  };
  build(groups({{{"b"}}}));
  build(groups({{{"b"}}}));
  room.clock.advance(Backend::kMemory - Millis(1));
  build(groups({{{"a"}, {"b"}}}));
  CHECK_FALSE(room.target("a").health().is_up());
  // Being back begins its time anew.
  build(groups({{{"b"}}}));
  build(groups({{{"b"}}}));
  room.clock.advance(Backend::kMemory - Millis(1));
  build(groups({{{"b"}}}));
  CHECK(room.backend.known_targets() == 2);
  room.clock.advance(Millis(1));
  build(groups({{{"b"}}}));
  CHECK(room.backend.known_targets() == 1);
}

TEST_CASE("a target that leaves is no longer chosen, but its connections keep it alive") {
  Room room(groups({{{"a"}, {"b"}}}), Balance::first);
  Claim held = room.connect();
  CHECK(held.target().text() == "a");
  room.layout = room.backend.build(groups({{{"b"}}}), Balance::first, {}, {});
  for (int i = 0; i < 10; ++i) CHECK(room.serve() == "b");
  CHECK(room.backend.known_targets() == 2);
  CHECK(held.target().in_flight() == 1);
  held.release();
  room.clock.advance(Backend::kShown);
  room.layout = room.backend.build(groups({{{"b"}}}), Balance::first, {}, room.now());
  CHECK(room.backend.known_targets() == 1);
}

TEST_CASE(
    "a target that has left is shown for five minutes, with what it has counted, and no longer") {
  Room room(groups({{{"a"}, {"b"}}}), Balance::first);
  const auto build = [&](const Arrangement& arrangement) {
    room.layout = room.backend.build(arrangement, Balance::first, {}, room.now());
  };
  CHECK(room.backend.departed(room.now()).empty());
  room.target("a").tally().connections.add(7);
  build(groups({{{"b"}}}));
  build(groups({{{"b"}}}));
  room.clock.advance(Backend::kShown - Millis(1));
  build(groups({{{"b"}}}));
  REQUIRE(room.backend.departed(room.now()).size() == 1);
  CHECK(room.backend.departed(room.now())[0]->text() == "a");
  CHECK(room.backend.departed(room.now())[0]->tally().connections.value() == 7);
  room.clock.advance(Millis(1));
  CHECK(room.backend.departed(room.now()).empty());
  build(groups({{{"b"}}}));
  CHECK(room.backend.known_targets() == 1);
}

TEST_CASE("a target that comes back in five minutes goes on counting, and has not left any more") {
  Room room(groups({{{"a"}, {"b"}}}), Balance::first);
  room.target("a").tally().connections.add(7);
  room.layout = room.backend.build(groups({{{"b"}}}), Balance::first, {}, room.now());
  room.clock.advance(Backend::kShown - Millis(1));
  room.layout = room.backend.build(groups({{{"b"}, {"a"}}}), Balance::first, {}, room.now());
  CHECK(room.target("a").tally().connections.value() == 7);
  CHECK(room.backend.departed(room.now()).empty());
}

TEST_CASE("the addresses of a name have one sum, which does not fall when one of them has left") {
  const auto addresses = [](std::initializer_list<const char*> list) {
    Arrangement arrangement(1);
    for (const char* address : list) {
      arrangement[0].push_back(place({"a"}));
      arrangement[0].back().endpoint.address = *SocketAddress::parse_ip(address, 636);
    }
    return arrangement;
  };
  Room room(addresses({"192.0.2.1", "192.0.2.2"}));
  const auto build = [&](const Arrangement& arrangement) {
    room.layout = room.backend.build(arrangement, Balance::first, {}, room.now());
  };
  const auto sum = [&] {
    std::uint64_t all = 0;
    for (const Target* target : room.layout->targets()) all += target->tally().connections.value();
    for (const auto& target : room.backend.departed(room.now())) {
      all += target->tally().connections.value();
    }
    for (const auto& [text, past] : room.backend.past()) all += past.connections;
    return all;
  };
  room.layout->targets()[0]->tally().connections.add(5);
  room.layout->targets()[1]->tally().connections.add(7);
  build(addresses({"192.0.2.2"}));
  CHECK(sum() == 12);
  room.clock.advance(Backend::kShown);
  CHECK(sum() == 12);
  build(addresses({"192.0.2.2"}));
  CHECK(room.backend.known_targets() == 1);
  CHECK(sum() == 12);
  CHECK(room.backend.past().at("a").connections == 5);
  // With the last of them the name's sum goes, too.
  build(groups({{{"b"}}}));
  room.clock.advance(Backend::kShown);
  build(groups({{{"b"}}}));
  CHECK(room.backend.past().empty());
}

TEST_CASE("of the targets that have left the last hundred are kept to be shown") {
  Room room(groups({{{"b"}}}), Balance::first);
  for (int i = 0; i < 150; ++i) {
    const std::string name = std::to_string(i);
    room.clock.advance(Millis(1));
    room.layout = room.backend.build(groups({{{name.c_str()}}}), Balance::first, {}, room.now());
  }
  const auto departed = room.backend.departed(room.now());
  REQUIRE(departed.size() == Backend::kMostShown);
  CHECK(departed.front()->text() == "49");
  CHECK(departed.back()->text() == "148");
  CHECK(room.backend.known_targets() == Backend::kMostShown + 1);
}

TEST_CASE("a target that comes back while it still has connections is the same target") {
  Room room(groups({{{"a", 1, 1}}}), Balance::first);
  const Claim held = room.connect();
  room.layout = room.backend.build(groups({{{"b"}}}), Balance::first, {}, {});
  room.layout = room.backend.build(groups({{{"a", 1, 1}}}), Balance::first, {}, {});
  CHECK(room.target("a").in_flight() == 1);
  CHECK(room.serve().empty());  // full
}

TEST_CASE("leaving a DNS answer for a moment does not make an ejected target healthy") {
  Room room(groups({{{"a"}, {"b"}}}), Balance::first);
  (void)room.eject("a");
  room.layout = room.backend.build(groups({{{"b"}}}), Balance::first, {}, {});
  room.layout = room.backend.build(groups({{{"a"}, {"b"}}}), Balance::first, {}, {});
  CHECK(room.serve() == "b");
}

TEST_CASE("a target is not forgotten while a worker still uses a layout that names it") {
  Room room(groups({{{"a"}, {"b"}}}), Balance::first);
  const std::shared_ptr<const Layout> old = room.layout;
  room.layout = room.backend.build(groups({{{"b"}}}), Balance::first, {}, {});
  room.clock.advance(Backend::kShown);
  room.layout = room.backend.build(groups({{{"b"}}}), Balance::first, {}, room.now());
  CHECK(room.backend.known_targets() == 2);
  Walk dial(old, client(), room.random);
  CHECK(dial.next(room.now()).claim.target().text() == "a");
}

TEST_CASE("turns go on where they were when the layout changes") {
  Room room(groups({{{"a"}, {"b"}, {"c"}}}));
  CHECK(room.serve() == "a");
  room.layout = room.backend.build(groups({{{"a"}, {"b"}, {"c"}}}), Balance::round_robin, {}, {});
  CHECK(room.serve() == "b");
}

TEST_CASE("a new weight and a new limit hold at once") {
  Room room(groups({{{"a"}, {"b"}}}), Balance::first);
  const Claim held = room.connect();
  room.layout = room.backend.build(groups({{{"a", 1, 1}, {"b"}}}), Balance::first, {}, {});
  CHECK(room.serve() == "b");
  room.layout = room.backend.build(groups({{{"a", 0}, {"b"}}}), Balance::first, {}, {});
  CHECK(room.serve() == "b");
  room.layout = room.backend.build(groups({{{"a"}, {"b", 0}}}), Balance::first, {}, {});
  CHECK(room.serve() == "a");
}

TEST_CASE("new health rules hold for the targets that are known") {
  Room room(groups({{{"a"}, {"b"}}}), Balance::first);
  HealthRules never;
  never.eject_time = Millis(0);
  room.layout = room.backend.build(groups({{{"a"}, {"b"}}}), Balance::first, never, {});
  CHECK(room.eject("a").change == Transition::Change::none);
}

TEST_CASE("the rules come from the service's health table") {
  config::Health health;
  CHECK(rules_of(health) == HealthRules{});
  health.check = config::Check::ldap;
  health.fall = 7;
  health.rise = 4;
  health.eject_time = Millis(1);
  health.eject_max = Millis(2);
  CHECK(rules_of(health) == HealthRules{.eject_time = Millis(1),
                                        .eject_max = Millis(2),
                                        .has_check = true,
                                        .fall = 7,
                                        .rise = 4});
}

}  // namespace tunnel::balance::backend_test
