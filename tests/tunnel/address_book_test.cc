// SPDX-License-Identifier: MIT
#include "tunnel/address_book.h"

#include <doctest/doctest.h>

#include <memory>

#include "support/virtual_clock.h"

namespace tunnel::address_book_test {
namespace {

SocketAddress ip(const char* text) { return *SocketAddress::parse_ip(text, 636); }

}  // namespace

TEST_CASE("a dial that waits for a name is told when the answer comes, and only then") {
  test::VirtualClock clock;
  AddressHistory history;
  std::vector<std::string> asked;
  AddressBook book(clock, history, [&](const std::string& name) { asked.push_back(name); });
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
  test::VirtualClock clock;
  AddressHistory history;
  AddressBook book(clock, history, [](const std::string&) {});
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

TEST_CASE("what is known of an address goes when it leaves the answer of its name") {
  test::VirtualClock clock;
  AddressHistory history;
  AddressBook book(clock, history, [](const std::string&) {});
  const auto at = [](const char* text, std::uint16_t port) {
    return *SocketAddress::parse_ip(text, port);
  };
  book.update("a", {{at("10.0.0.1", 0), at("10.0.0.2", 0)}, ""});
  const SocketAddress dead = ip("10.0.0.1");
  const SocketAddress other = ip("10.0.0.2");
  book.note_won(other, std::vector{dead});
  const auto order = [&] {
    std::vector<SocketAddress> addresses = {dead, other};
    book.order(addresses);
    return addresses;
  };
  CHECK(order() == std::vector{other, dead});
  SUBCASE("renewed") { book.update("a", {{at("10.0.0.2", 0), at("10.0.0.1", 0)}, ""}); }
  SUBCASE("with one more") {
    book.update("a", {{at("10.0.0.1", 0), at("10.0.0.2", 0), at("10.0.0.3", 0)}, ""});
  }
  CHECK(order() == std::vector{other, dead});
  book.update("a", {{at("10.0.0.3", 0)}, ""});
  CHECK(order() == std::vector{dead, other});
}

TEST_CASE("a name that is forgotten takes along what is known of its addresses") {
  test::VirtualClock clock;
  AddressHistory history;
  AddressBook book(clock, history, [](const std::string&) {});
  book.update("a", {{ip("10.0.0.1")}, ""});
  book.note_failed(ip("10.0.0.1"));
  book.forget("a");
  book.forget("never heard of");
  CHECK(book.find("a") == nullptr);
  CHECK_FALSE(book.has_failed(ip("10.0.0.1")));
}

}  // namespace tunnel::address_book_test
