// SPDX-License-Identifier: MIT
// A backend with a clock that stands still, and short ways to say what the tests of the room say.
#pragma once

#include <atomic>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "balance/backend.h"
#include "balance/walk.h"
#include "support/virtual_clock.h"

namespace tunnel::balance {

struct PlaceOf {
  const char* host;
  std::uint32_t weight = 1;
  std::optional<std::uint32_t> max_connections = std::nullopt;
};

inline Place place(const PlaceOf& of) {
  return {.endpoint = {.form = config::Target::Form::name,
                       .host = of.host,
                       .port = 636,
                       .address = {},
                       .name = "",
                       .is_foreign = false,
                       .text = of.host},
          .weight = of.weight,
          .max_connections = of.max_connections};
}

inline Arrangement groups(std::initializer_list<std::vector<PlaceOf>> list) {
  Arrangement result;
  for (const std::vector<PlaceOf>& group : list) {
    result.emplace_back();
    for (const PlaceOf& of : group) result.back().push_back(place(of));
  }
  return result;
}

inline SocketAddress client(const std::string& ip = "192.0.2.1", std::uint16_t port = 40000) {
  return *SocketAddress::parse_ip(ip, port);
}

// One service as one worker sees it.
struct Room {
  struct Counting final : SlotListener {
    void on_slot_freed() override { calls.fetch_add(1); }  // on any thread
    std::atomic<int> calls{0};
  };

  explicit Room(const Arrangement& arrangement,
                config::Balance policy = config::Balance::round_robin, HealthRules rules = {})
      : layout(backend.build(arrangement, policy, rules, {})) {}

  [[nodiscard]] Walk walk(const SocketAddress& from = client()) { return {layout, from, random}; }
  [[nodiscard]] TimePoint now() const { return clock.now(); }

  // The target of the given name, which must be in the layout.
  [[nodiscard]] Target& target(const std::string& host) const {
    for (Target* target : layout->targets()) {
      if (target->text() == host) return *target;
    }
    std::abort();
  }

  // A connection's claim, or none.
  [[nodiscard]] Claim connect(const SocketAddress& from = client()) {
    Walk dial(layout, from, random);
    Walk::Next next = dial.next(now());
    if (next.claim) (void)next.claim.established(now());
    return std::move(next.claim);
  }

  // Who serves a connection that ends at once; "" when nobody does.
  std::string serve(const SocketAddress& from = client()) {
    const Claim claim = connect(from);
    return claim ? claim.target().text() : "";
  }

  // A failed dial of the given target, whoever's turn it is.
  Transition eject(const std::string& host) {
    Claim claim = Claim::take(target(host), std::nullopt, Claim::Mode::panic, now());
    return claim.failed(now(), Cause::target, random);
  }

  // The targets that one dial tries when each of them fails, in order.
  std::vector<std::string> tour(Cause cause = Cause::target, const SocketAddress& from = client()) {
    std::vector<std::string> order;
    Walk dial(layout, from, random);
    for (;;) {
      Walk::Next next = dial.next(now());
      if (next.step != Walk::Step::claimed) return order;
      order.push_back(next.claim.target().text());
      (void)next.claim.failed(now(), cause, random);
    }
  }

  test::VirtualClock clock;
  Random random{20261123};
  Counting listener;
  Backend backend{&listener};
  std::shared_ptr<const Layout> layout;
};

}  // namespace tunnel::balance
