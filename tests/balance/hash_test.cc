// SPDX-License-Identifier: MIT
#include "balance/hash.h"

#include <doctest/doctest.h>

namespace tunnel::balance::hash_test {

TEST_CASE("a text has the same number in every run and process") {
  CHECK(text_hash("") == 0xf52a15e9a9b5e89b);
  CHECK(text_hash("a") != text_hash("b"));
}

TEST_CASE("a client is its address without the port, IPv4 alike in both forms") {
  const auto number = [](const char* ip, std::uint16_t port) {
    return client_hash(*SocketAddress::parse_ip(ip, port));
  };
  CHECK(number("192.0.2.1", 1) == number("192.0.2.1", 2));
  CHECK(number("192.0.2.1", 1) == number("::ffff:192.0.2.1", 3));
  CHECK(number("192.0.2.1", 1) != number("192.0.2.2", 1));
}

TEST_CASE("all clients of unix sockets are one") {
  CHECK(client_hash(*SocketAddress::unix_path("/run/a.sock")) ==
        client_hash(*SocketAddress::unix_path("@b")));
  CHECK(client_hash(*SocketAddress::unix_path("/run/a.sock")) !=
        client_hash(*SocketAddress::parse_ip("192.0.2.1", 1)));
}

}  // namespace tunnel::balance::hash_test
