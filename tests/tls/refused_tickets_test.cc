// SPDX-License-Identifier: MIT
#include "tls/refused_tickets.h"

#include <doctest/doctest.h>

#include <cstring>

namespace tunnel::tls::refused_tickets_test {

using namespace tunnel::x509;

namespace {

constexpr std::time_t kNow = 1'000'000;

Fingerprint key(unsigned number) {
  Fingerprint print{};
  std::memcpy(print.data(), &number, sizeof number);
  return print;
}

RefusedTickets refused(unsigned times) {
  RefusedTickets tickets;
  for (unsigned i = 0; i < times; ++i) tickets.refused(key(1), kNow);
  return tickets;
}

}  // namespace

TEST_CASE("many refusals in a row make a pause, for that server only") {
  CHECK_FALSE(refused(RefusedTickets::kInARow - 1).is_hopeless(key(1), kNow));
  const auto tickets = refused(RefusedTickets::kInARow);
  CHECK(tickets.is_hopeless(key(1), kNow));
  CHECK_FALSE(tickets.is_hopeless(key(2), kNow));
}

TEST_CASE("one ticket that is accepted makes up for all refusals") {
  auto tickets = refused(RefusedTickets::kInARow - 1);
  tickets.accepted(key(1));
  tickets.refused(key(1), kNow);
  CHECK_FALSE(tickets.is_hopeless(key(1), kNow));
}

TEST_CASE("after a pause a few more refusals begin the next") {
  auto tickets = refused(RefusedTickets::kInARow);
  const auto later = kNow + RefusedTickets::kPause;
  CHECK(tickets.is_hopeless(key(1), later - 1));
  CHECK_FALSE(tickets.is_hopeless(key(1), later));
  for (unsigned i = 0; i < RefusedTickets::kAgain; ++i) {
    CHECK_FALSE(tickets.is_hopeless(key(1), later));
    tickets.refused(key(1), later + i);
  }
  CHECK(tickets.is_hopeless(key(1), later + RefusedTickets::kAgain));
}

TEST_CASE("a server that breaks off has its pause at once, and after it one chance at a time") {
  RefusedTickets tickets;
  tickets.broke_off(key(1), kNow);
  CHECK(tickets.is_hopeless(key(1), kNow));
  CHECK_FALSE(tickets.is_hopeless(key(2), kNow));
  const auto later = kNow + RefusedTickets::kPause;
  CHECK_FALSE(tickets.is_hopeless(key(1), later));
  tickets.broke_off(key(1), later);
  CHECK(tickets.is_hopeless(key(1), later));
}

TEST_CASE("a clock that was set back ends a pause") {
  CHECK_FALSE(refused(RefusedTickets::kInARow).is_hopeless(key(1), kNow - 1));
}

TEST_CASE("of more servers than are remembered, each begins anew") {
  auto tickets = refused(RefusedTickets::kInARow);
  for (unsigned i = 2; i <= RefusedTickets::kInAll; ++i) tickets.refused(key(i), kNow);
  CHECK(tickets.is_hopeless(key(1), kNow));
  tickets.refused(key(0), kNow);
  CHECK_FALSE(tickets.is_hopeless(key(1), kNow));
}

}  // namespace tunnel::tls::refused_tickets_test
