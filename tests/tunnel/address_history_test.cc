// SPDX-License-Identifier: MIT
#include "tunnel/address_history.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>

#include "support/virtual_clock.h"

namespace tunnel::address_history_test {
namespace {

using Addresses = std::vector<SocketAddress>;

SocketAddress ip(const char* text, std::uint16_t port = 636) {
  return *SocketAddress::parse_ip(text, port);
}

const SocketAddress a = ip("10.0.0.1");
const SocketAddress b = ip("10.0.0.2");
const SocketAddress c = ip("10.0.0.3");
const SocketAddress d = ip("10.0.0.4");

struct Past {
  AddressHistory history;
  test::VirtualClock clock;

  Addresses order(Addresses addresses = {a, b, c, d}) {
    history.order(addresses, clock.now());
    return addresses;
  }
  void won(const SocketAddress& winner, Addresses silent = {}) {
    history.won(winner, silent, clock.now());
  }
  void failed(const SocketAddress& address) { history.failed(address, clock.now()); }
};

}  // namespace

TEST_CASE("without history the order is that of the answer") {
  Past past;
  CHECK(past.order() == Addresses{a, b, c, d});
  CHECK(past.order({}) == Addresses{});
}

TEST_CASE("the last winner is tried first, and what stayed silent meanwhile last") {
  Past past;
  past.won(c, {a, b});
  CHECK(past.order() == Addresses{c, d, a, b});
  past.won(d);
  CHECK(past.order() == Addresses{d, c, a, b});
}

TEST_CASE("silence is remembered for as long as the answer lives") {
  Past past;
  past.won(b, {a});
  past.clock.advance(std::chrono::hours(100));
  CHECK(past.order() == Addresses{b, c, d, a});
  SUBCASE("the address answers after all") {
    past.won(a);
    CHECK(past.order() == Addresses{a, b, c, d});
  }
  SUBCASE("the address leaves the answer") {
    past.history.forget(Addresses{ip("10.0.0.1", 0)});
    CHECK(past.order() == Addresses{b, a, c, d});
  }
}

TEST_CASE("addresses that failed lately are tried last, and forgiven after a while") {
  Past past;
  past.failed(a);
  CHECK(past.order() == Addresses{b, c, d, a});
  SUBCASE("or when they work") { past.history.worked(a); }
  SUBCASE("by time") { past.clock.advance(AddressHistory::kMemory + Millis(1)); }
  CHECK(past.order() == Addresses{a, b, c, d});
}

TEST_CASE("a winner whose handshake fails is not tried first again") {
  Past past;
  past.won(b, {a});
  past.failed(b);
  CHECK(past.order() == Addresses{c, d, a, b});
  past.won(b);  // it connects again, which is no proof
  CHECK(past.order() == Addresses{c, d, a, b});
  past.history.worked(b);
  CHECK(past.order() == Addresses{b, c, d, a});
}

TEST_CASE("when all have failed or stayed silent, all is forgotten") {
  Past past;
  past.won(b, {a});
  past.failed(b);
  past.failed(c);
  CHECK(past.order({a, b, c}) == Addresses{a, b, c});
  past.won(c, {a});
  CHECK(past.order({a, b, c}) == Addresses{c, b, a});
}

TEST_CASE("ports of one machine have histories of their own") {
  Past past;
  past.won(b, {a});
  const SocketAddress other_a = ip("10.0.0.1", 389);
  const SocketAddress other_b = ip("10.0.0.2", 389);
  CHECK(past.order({other_a, other_b}) == Addresses{other_a, other_b});
}

TEST_CASE("of more addresses than are remembered, the harmless go first") {
  Past past;
  past.won(b, {a});
  for (std::size_t i = 0; i < AddressHistory::kMost; ++i) {
    past.won(ip("10.1.0.1", static_cast<std::uint16_t>(i + 1)));
  }
  CHECK(past.order({a, c}) == Addresses{c, a});
}

TEST_CASE("several workers ask and tell at the same time") {
  Past past;
  std::vector<std::thread> threads;
  for (int worker = 0; worker < 4; ++worker) {
    threads.emplace_back([&past, now = past.clock.now()] {
      for (int i = 0; i < 1000; ++i) {
        past.history.won(b, Addresses{a}, now);
        Addresses addresses = {a, b, c, d};
        past.history.order(addresses, now);
        past.history.failed(c, now);
        past.history.forget(Addresses{d});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(past.order() == Addresses{b, d, a, c});
}

}  // namespace tunnel::address_history_test
