// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "tls/remembered.h"

namespace tunnel::tls::ticket_store_test {

using namespace tunnel::x509;

namespace {

Fingerprint key(unsigned number) {
  Fingerprint print{};
  std::memcpy(print.data(), &number, sizeof number);
  return print;
}

std::string taken(TicketStore& store, unsigned number, std::time_t now) {
  const auto ticket = store.take(key(number), now);
  return ticket ? ticket->data : "";
}

}  // namespace

TEST_CASE("a ticket is handed out once, the newest first, and for its key only") {
  TicketStore store;
  store.put(key(1), {"a", 2000}, 1000);
  store.put(key(1), {"b", 2000}, 1001);
  store.put(key(2), {"c", 2000}, 1002);
  CHECK(store.size() == 3);
  CHECK(taken(store, 1, 1003) == "b");
  CHECK(taken(store, 1, 1003) == "a");
  CHECK(taken(store, 1, 1003) == "");
  CHECK(taken(store, 3, 1003) == "");
  CHECK(taken(store, 2, 1003) == "c");
  CHECK(store.size() == 0);
}

TEST_CASE("an expired ticket is dropped, and one from a time that is yet to come") {
  TicketStore store;
  store.put(key(1), {"late", 1500}, 1000);
  store.put(key(1), {"soon", 1100}, 1000);
  CHECK(taken(store, 1, 1100) == "late");
  CHECK(store.size() == 0);
  store.put(key(1), {"expired", 1000}, 1000);
  CHECK(store.size() == 0);
  store.put(key(1), {"future", 3000}, 2000);
  CHECK(taken(store, 1, 1999) == "");
  CHECK(store.size() == 0);
}

TEST_CASE("of one key the oldest tickets make room") {
  TicketStore store;
  for (int i = 0; i <= static_cast<int>(TicketStore::kPerKey); ++i) {
    store.put(key(1), {std::to_string(i), 2000}, 1000);
  }
  CHECK(store.size() == TicketStore::kPerKey);
  for (int i = static_cast<int>(TicketStore::kPerKey); i > 0; --i) {
    CHECK(taken(store, 1, 1000) == std::to_string(i));
  }
  CHECK(taken(store, 1, 1000) == "");
}

TEST_CASE("of all keys the one that was not used for longest makes room") {
  TicketStore store;
  const auto many = static_cast<unsigned>(TicketStore::kInAll);
  store.put(key(0), {"zero", 2000}, 1000);
  store.put(key(0), {"again", 2000}, 1000);
  for (unsigned i = 1; i + 1 < many; ++i) store.put(key(i), {"x", 2000}, 1000);
  CHECK(store.size() == many);
  CHECK(taken(store, 0, 1000) == "again");  // which counts as a use
  store.put(key(many), {"new", 2000}, 1000);
  store.put(key(many + 1), {"newer", 2000}, 1000);
  CHECK(store.size() == many);
  CHECK(taken(store, 1, 1000) == "");
  CHECK(taken(store, 0, 1000) == "zero");
  CHECK(taken(store, 2, 1000) == "x");
}

TEST_CASE("what is forgotten of one key is not forgotten of others") {
  TicketStore store;
  store.put(key(1), {"a", 2000}, 1000);
  store.put(key(1), {"b", 2000}, 1000);
  store.put(key(2), {"c", 2000}, 1000);
  store.forget(key(1));
  store.forget(key(3));
  CHECK(store.size() == 1);
  CHECK(taken(store, 1, 1000) == "");
  CHECK(taken(store, 2, 1000) == "c");
}

TEST_CASE("what contexts that have gone have left is dropped as a whole, and makes room") {
  TicketStore store;
  auto gone = std::make_shared<int>();
  const auto lives = std::make_shared<int>();
  store.put(key(1), {"a", 2000, gone}, 1000);
  store.put(key(1), {"b", 2000, gone}, 1000);
  store.put(key(2), {"c", 2000, lives}, 1000);
  store.put(key(3), {"d", 2000, gone}, 1000);
  store.drop_orphans();
  CHECK(store.size() == 4);
  gone.reset();
  store.drop_orphans();
  CHECK(store.size() == 1);
  CHECK(taken(store, 1, 1000) == "");
  store.put(key(3), {"e", 2000, lives}, 1000);
  CHECK(taken(store, 3, 1000) == "e");
  CHECK(taken(store, 2, 1000) == "c");
  CHECK(store.size() == 0);
}

TEST_CASE("the parts of a fingerprint cannot be moved across their bounds") {
  const auto print = [](auto... parts) {
    Fingerprinter printer;
    (printer.add(parts), ...);
    return *printer.finish();
  };
  CHECK(print("ab", "c") == print("ab", "c"));
  CHECK(print("ab", "c") != print("a", "bc"));
  CHECK(print("ab", "") != print("ab"));
}

}  // namespace tunnel::tls::ticket_store_test
