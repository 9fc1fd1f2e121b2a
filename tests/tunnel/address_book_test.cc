// SPDX-License-Identifier: MIT
#include "tunnel/address_book.h"

#include <doctest/doctest.h>

#include <memory>

namespace tunnel {
namespace {

SocketAddress ip(const char* text) { return *SocketAddress::parse_ip(text, 636); }

}  // namespace

TEST_CASE("a dial that waits for a name is told when the answer comes, and only then") {
  VirtualClock clock;
  std::vector<std::string> asked;
  AddressBook book(clock, [&](const std::string& name) { asked.push_back(name); });
  CHECK(book.find("a") == nullptr);
  int answered = 0;
  AddressBook::Waiter first(book, "a", [&] { ++answered; });
  AddressBook::Waiter other(book, "b", [&] { answered += 100; });
  CHECK(asked == std::vector<std::string>{"a", "b"});
  book.update("a", {{ip("10.0.0.1")}, ""});
  CHECK(answered == 1);
  CHECK(book.find("a")->addresses.size() == 1);
  book.update("a", {{ip("10.0.0.2")}, ""});
  CHECK(answered == 1);
}

TEST_CASE("a waiter that is destroyed by another one's answer is not called") {
  VirtualClock clock;
  AddressBook book(clock, [](const std::string&) {});
  std::unique_ptr<AddressBook::Waiter> second;
  int answered = 0;
  AddressBook::Waiter first(book, "a", [&] {
    ++answered;
    second.reset();
  });
  second = std::make_unique<AddressBook::Waiter>(book, "a", [&] { ++answered; });
  book.update("a", {{}, "no such name"});
  CHECK(answered == 1);
}

TEST_CASE("addresses that failed lately are tried last, and forgiven after a while") {
  VirtualClock clock;
  AddressBook book(clock, [](const std::string&) {});
  const std::vector<SocketAddress> all = {ip("10.0.0.1"), ip("10.0.0.2"), ip("10.0.0.3")};
  book.note_failed(all[0]);
  std::vector<SocketAddress> order = all;
  book.order(order);
  CHECK(order == std::vector<SocketAddress>{all[1], all[2], all[0]});
  book.note_worked(all[0]);
  order = all;
  book.order(order);
  CHECK(order == all);
  book.note_failed(all[0]);
  clock.advance(AddressBook::kMemory + Millis(1));
  order = all;
  book.order(order);
  CHECK(order == all);
}

}  // namespace tunnel
