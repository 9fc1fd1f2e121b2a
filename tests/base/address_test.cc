// SPDX-License-Identifier: MIT
#include "base/address.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>

namespace tunnel {

TEST_CASE("an address is written the way it is read") {
  CHECK(SocketAddress::parse_ip("10.1.2.3", 636)->to_string() == "10.1.2.3:636");
  CHECK(SocketAddress::parse_ip("::1", 636)->to_string() == "[::1]:636");
  CHECK(SocketAddress::parse_ip("::ffff:10.1.2.3", 636)->to_string() == "10.1.2.3:636");
  CHECK(SocketAddress::unix_path("/run/x.sock")->to_string() == "/run/x.sock");
  CHECK(SocketAddress::unix_path("@abstract")->to_string() == "@abstract");
  CHECK_FALSE(SocketAddress::parse_ip("10.1.2", 1).has_value());
  CHECK_FALSE(SocketAddress::parse_ip("localhost", 1).has_value());
  CHECK_FALSE(SocketAddress::unix_path(std::string(108, 'x')).has_value());
}

TEST_CASE("loopback and any are recognised in both families") {
  CHECK(SocketAddress::parse_ip("127.9.9.9", 1)->is_loopback());
  CHECK(SocketAddress::parse_ip("::1", 1)->is_loopback());
  CHECK(SocketAddress::parse_ip("::ffff:127.0.0.1", 1)->is_loopback());
  CHECK_FALSE(SocketAddress::parse_ip("10.0.0.1", 1)->is_loopback());
  CHECK(SocketAddress::any_v4(1).is_any());
  CHECK(SocketAddress::any_v6(1).is_any());
}

TEST_CASE("equal addresses compare equal, the port counts") {
  CHECK(*SocketAddress::parse_ip("::1", 1) == *SocketAddress::parse_ip("::1", 1));
  CHECK(*SocketAddress::parse_ip("::1", 1) != *SocketAddress::parse_ip("::1", 2));
}

TEST_CASE("a range contains its addresses and no others") {
  const Cidr range = Cidr::parse("10.1.0.0/15").value();
  CHECK(range.contains(*SocketAddress::parse_ip("10.0.255.255", 1)));
  sockaddr_in6 mapped{};
  mapped.sin6_family = AF_INET6;
  REQUIRE(::inet_pton(AF_INET6, "::ffff:10.1.0.1", &mapped.sin6_addr) == 1);
  CHECK(range.contains(
      SocketAddress::from(reinterpret_cast<const sockaddr*>(&mapped), sizeof mapped)));
  CHECK_FALSE(range.contains(*SocketAddress::parse_ip("10.2.0.0", 1)));
  CHECK(Cidr::parse("2001:db8::/33").value().contains(*SocketAddress::parse_ip("2001:db8::1", 1)));
  CHECK_FALSE(Cidr::parse("2001:db8::/33")
                  .value()
                  .contains(*SocketAddress::parse_ip("2001:db8:8000::", 1)));
  CHECK(Cidr::parse("10.0.0.7").value().to_string() == "10.0.0.7/32");
  CHECK(Cidr::parse("0.0.0.0/0").value().contains(*SocketAddress::parse_ip("8.8.8.8", 1)));
  CHECK(Cidr::parse("::ffff:10.0.0.0/104").value().to_string() == "10.0.0.0/8");
  CHECK(Cidr::parse("::ffff:10.0.0.7").value().to_string() == "10.0.0.7/32");
  for (const char* text : {"::ffff:10.0.0.0/95", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "x",
                           "::/129", "10.0.0.0/-1"}) {
    CAPTURE(text);
    CHECK_FALSE(Cidr::parse(text).has_value());
  }
}

TEST_CASE("host and port are split at the right colon") {
  CHECK(parse_host_port("ldap.example.com:636").value() ==
        HostPort{"ldap.example.com", 636, false});
  CHECK(parse_host_port("[::1]:636").value() == HostPort{"::1", 636, true});
  CHECK(parse_host_port("389").value() == HostPort{"", 389, false});
  for (const char* text :
       {"::1:636", ":636", "host:", "host:99999", "[host]:1", "[::1]", "host:p q", ""}) {
    CAPTURE(text);
    CHECK_FALSE(parse_host_port(text).has_value());
  }
  CHECK(parse_host_port("::1:636").error().text.find("[::1]:636") != std::string::npos);
  CHECK(parse_host_port("host:99999").error().text.find("out of range") != std::string::npos);
}

}  // namespace tunnel
