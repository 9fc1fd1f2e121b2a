// SPDX-License-Identifier: MIT
#include "balance/policy.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <numeric>

#include "fixture.h"

namespace tunnel::balance::policy_test {

namespace {

using config::Balance;
using Counts = std::map<std::string, int>;
constexpr int kPicks = 10'000;
constexpr int kOnePercent = kPicks / 100;
// What independent draws may stray: four standard deviations of a fair coin.
constexpr int kFourSigma = 200;

std::string turns(std::initializer_list<std::uint32_t> weights) {
  const std::vector<std::uint32_t> list(weights);
  std::string text;
  for (const std::uint32_t index : smooth_sequence(list)) text += static_cast<char>('a' + index);
  return text;
}

// Connections that end at once.
Counts serve_many(Room& room, int picks = kPicks) {
  Counts counts;
  for (int i = 0; i < picks; ++i) ++counts[room.serve()];
  return counts;
}

// Connections of which the last `open` are still there.
Counts hold_many(Room& room, std::size_t open) {
  Counts counts;
  std::deque<Claim> held;
  for (int i = 0; i < kPicks; ++i) {
    held.push_back(room.connect());
    ++counts[held.back().target().text()];
    if (held.size() > open) held.pop_front();
  }
  return counts;
}

SocketAddress client_number(unsigned i) {
  return client("10." + std::to_string(i >> 16 & 255) + "." + std::to_string(i >> 8 & 255) + "." +
                std::to_string(i & 255));
}

std::vector<std::string> serve_clients(Room& room, unsigned clients) {
  std::vector<std::string> served;
  for (unsigned i = 0; i < clients; ++i) served.push_back(room.serve(client_number(i)));
  return served;
}

bool is_near(int count, double expected, int tolerance = kOnePercent) {
  return std::abs(count - expected) <= tolerance;
}

}  // namespace

TEST_CASE("smooth round-robin spreads the turns of a heavy target") {
  CHECK(turns({1, 1, 1}) == "abc");
  CHECK(turns({5, 1, 1}) == "aabacaa");
  CHECK(turns({3, 2, 1}) == "abacba");
  CHECK(turns({1, 2}) == "bab");
}

TEST_CASE("weights with a common factor say the same as without it") {
  CHECK(turns({500, 100, 100}) == turns({5, 1, 1}));
  CHECK(turns({7}) == "a");
}

TEST_CASE("a drained target has no turn, and a group of drained ones no sequence") {
  CHECK(turns({2, 0, 1}) == "aca");
  CHECK(turns({0, 0}).empty());
  CHECK(turns({}).empty());
}

TEST_CASE("huge weights give a short sequence with the same shares, and nobody is lost") {
  const std::array<std::uint32_t, 3> weights = {65'535, 32'767, 1};
  const std::vector<std::uint32_t> sequence = smooth_sequence(weights);
  CHECK(sequence.size() <= 4'100);
  const auto count = [&](std::uint32_t index) {
    return static_cast<double>(std::count(sequence.begin(), sequence.end(), index));
  };
  CHECK(count(0) / count(1) == doctest::Approx(2.0).epsilon(0.01));
  CHECK(count(2) >= 1);
  const std::array<std::uint32_t, 2> largest = {4'294'967'295U, 4'294'967'294U};
  CHECK(smooth_sequence(largest).size() <= 4'100);
}

TEST_CASE("round-robin gives 10,000 connections their weights' shares") {
  Room room(groups({{{"a", 3}, {"b", 2}, {"c", 1}}}));
  Counts counts = serve_many(room);
  CHECK(is_near(counts["a"], kPicks * 3 / 6.0, 3));
  CHECK(is_near(counts["b"], kPicks * 2 / 6.0, 3));
  CHECK(is_near(counts["c"], kPicks * 1 / 6.0, 3));
}

TEST_CASE("round-robin gives an ejected target's turns to all others alike") {
  Room room(groups({{{"a"}, {"b"}, {"c"}, {"d"}}}));
  (void)room.eject("b");
  Counts counts = serve_many(room, 9'000);
  CHECK(counts["b"] == 0);
  CHECK(counts["a"] == 3'000);
  CHECK(counts["c"] == 3'000);
  CHECK(counts["d"] == 3'000);
}

TEST_CASE(
    "round-robin moves past the target that took over, so its neighbour has no double share") {
  HealthRules never_eject;
  never_eject.eject_time = Millis(0);
  Room room(groups({{{"a"}, {"b"}, {"c"}}}), Balance::round_robin, never_eject);
  Counts counts;
  for (int i = 0; i < 9'000; ++i) {
    Walk dial = room.walk();
    Walk::Next next = dial.next(room.now());
    while (next.claim.target().text() == "b") {  // refuses each time
      (void)next.claim.failed(room.now(), Cause::target, room.random);
      next = dial.next(room.now());
    }
    ++counts[next.claim.target().text()];
  }
  CHECK(std::abs(counts["a"] - counts["c"]) <= 1);
}

TEST_CASE("least-connections fills targets by weight while connections stay") {
  Room room(groups({{{"a", 3}, {"b", 1}}}), Balance::least_connections);
  std::vector<Claim> held;
  for (int i = 0; i < 400; ++i) held.push_back(room.connect());
  CHECK(is_near(static_cast<int>(room.target("a").in_flight()), 300, 1));
  CHECK(is_near(static_cast<int>(room.target("b").in_flight()), 100, 1));
}

TEST_CASE("least-connections chooses the emptiest target") {
  Room room(groups({{{"a"}, {"b"}, {"c"}}}), Balance::least_connections);
  std::vector<Claim> held;
  for (int i = 0; i < 6; ++i) held.push_back(room.connect());
  const std::string freed = held[4].target().text();
  held[4].release();
  CHECK(room.serve() == freed);
}

TEST_CASE("least-connections lets equals take turns, whoever of them is busy") {
  Room room(groups({{{"a"}, {"b"}, {"c"}, {"d"}}}), Balance::least_connections);
  CHECK(is_near(serve_many(room)["a"], kPicks / 4.0, 1));
  const Claim busy = Claim::take(room.target("b"), std::nullopt, Claim::Mode::panic, room.now());
  Counts counts = serve_many(room, 9'000);
  CHECK(counts["b"] == 0);
  CHECK(counts["a"] == 3'000);
  CHECK(counts["c"] == 3'000);
  CHECK(counts["d"] == 3'000);
}

TEST_CASE("least-connections counts attempts that are still under way") {
  Room room(groups({{{"a"}, {"b"}}}), Balance::least_connections);
  Walk first = room.walk();
  Walk second = room.walk();
  const Walk::Next a = first.next(room.now());
  const Walk::Next b = second.next(room.now());
  CHECK(&a.claim.target() != &b.claim.target());
}

TEST_CASE("random gives idle targets their weights' shares") {
  Room room(groups({{{"a", 2}, {"b", 1}, {"c", 1}}}), Balance::random);
  Counts counts = serve_many(room);
  CHECK(is_near(counts["a"], kPicks / 2.0, kFourSigma));
  CHECK(is_near(counts["b"], kPicks / 4.0, kFourSigma));
  CHECK(is_near(counts["c"], kPicks / 4.0, kFourSigma));
}

TEST_CASE("random takes the less loaded of two, so that open connections stay even") {
  Room room(groups({{{"a"}, {"b"}, {"c"}, {"d"}}}), Balance::random);
  Counts counts = hold_many(room, 400);
  for (const char* name : {"a", "b", "c", "d"}) {
    CAPTURE(name);
    CHECK(is_near(counts[name], kPicks / 4.0));
  }
  Room two(groups({{{"a"}, {"b"}}}), Balance::random);
  const Claim busy = Claim::take(two.target("a"), std::nullopt, Claim::Mode::panic, two.now());
  for (int i = 0; i < 100; ++i) CHECK(two.serve() == "b");  // both are drawn, b is idle
}

TEST_CASE("random differs with its seed and repeats with it") {
  const auto run = [](std::uint64_t seed) {
    Room room(groups({{{"a"}, {"b"}, {"c"}}}), Balance::random);
    room.random = Random(seed);
    std::string text;
    for (int i = 0; i < 50; ++i) text += room.serve();
    return text;
  };
  CHECK(run(1) == run(1));
  CHECK(run(1) != run(2));
}

TEST_CASE("hash gives clients their targets by weight") {
  Room room(groups({{{"a", 2}, {"b", 1}, {"c", 1}}}), Balance::hash);
  Counts counts;
  for (const std::string& name : serve_clients(room, kPicks)) ++counts[name];
  CHECK(is_near(counts["a"], kPicks / 2.0, kFourSigma));
  CHECK(is_near(counts["b"], kPicks / 4.0, kFourSigma));
  CHECK(is_near(counts["c"], kPicks / 4.0, kFourSigma));
}

TEST_CASE("hash keeps a client at its target, whatever its port and its way of writing IPv4") {
  Room room(groups({{{"a"}, {"b"}, {"c"}, {"d"}, {"e"}}}), Balance::hash);
  for (unsigned i = 0; i < 50; ++i) {
    const std::string ip = client_number(i).ip();
    const std::string served = room.serve(client(ip, 1));
    CHECK(room.serve(client(ip, 2)) == served);
    CHECK(room.serve(client("::ffff:" + ip, 3)) == served);
  }
  CHECK(room.serve(client("2001:db8::1")) == room.serve(client("2001:db8::1", 9)));
}

TEST_CASE("hash moves only a removed target's clients, about one in n, and spreads them") {
  Room with(groups({{{"a"}, {"b"}, {"c"}, {"d"}, {"e"}}}), Balance::hash);
  Room without(groups({{{"a"}, {"b"}, {"d"}, {"e"}}}), Balance::hash);
  const std::vector<std::string> before = serve_clients(with, kPicks);
  const std::vector<std::string> after = serve_clients(without, kPicks);
  Counts moved_to;
  int moved = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] == after[i]) continue;
    CHECK(before[i] == "c");
    ++moved_to[after[i]];
    ++moved;
  }
  CHECK(is_near(moved, kPicks / 5.0, kFourSigma));
  for (const auto& [name, count] : moved_to) CHECK(is_near(count, moved / 4.0, kOnePercent));
}

TEST_CASE("hash sends an ejected target's clients where they would go without it, and back") {
  Room room(groups({{{"a"}, {"b"}, {"c"}, {"d"}}}), Balance::hash);
  Room without(groups({{{"a"}, {"c"}, {"d"}}}), Balance::hash);
  const std::vector<std::string> before = serve_clients(room, 500);
  (void)room.eject("b");
  CHECK(serve_clients(room, 500) == serve_clients(without, 500));
  (void)Claim::take(room.target("b"), std::nullopt, Claim::Mode::panic, room.now())
      .established(room.now());
  CHECK(serve_clients(room, 500) == before);
}

TEST_CASE("hash goes on to the client's next target when its own is full or has failed") {
  const std::vector<PlaceOf> five = {{"a", 1, 1}, {"b", 1, 1}, {"c", 1, 1}, {"d", 1, 1}};
  Room room(groups({five}), Balance::hash);
  const std::vector<std::string> order = room.tour(Cause::local);
  CHECK(order.size() == 4);
  CHECK(room.tour(Cause::local) == order);  // a client's order is its own and stays
  std::vector<Claim> held;
  for (const std::string& name : order) {
    held.push_back(room.connect());
    CHECK(held.back().target().text() == name);
  }
}

TEST_CASE("first fills the first target before it touches the second") {
  Room room(groups({{{"a", 1, 2}, {"b", 1, 1}, {"c"}}}), Balance::first);
  std::vector<Claim> held;
  std::string served;
  for (int i = 0; i < 5; ++i) {
    held.push_back(room.connect());
    served += held.back().target().text();
  }
  CHECK(served == "aabcc");
  held[0].release();
  CHECK(room.serve() == "a");
}

}  // namespace tunnel::balance::policy_test
