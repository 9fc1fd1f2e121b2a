// SPDX-License-Identifier: MIT
#include "dns/hosts_file.h"

#include <doctest/doctest.h>

#include "support/virtual_clock.h"
#include "tests/dns/temporary_file.h"

namespace tunnel::dns::testing {

namespace {

std::string lookup(HostsFile& hosts, std::string_view name) {
  std::string text;
  for (const SocketAddress& address : hosts.lookup(name)) {
    text += (text.empty() ? "" : " ") + address.ip();
  }
  return text;
}

}  // namespace

TEST_CASE("names and aliases of the hosts file, whatever their case or final dot") {
  const test::VirtualClock clock;
  const TemporaryFile file(
      "# comment\n"
      "10.0.0.1\tldap.example.com ldap # ldap2\n"
      "  2001:db8::1   LDAP.example.com\n"
      "10.0.0.1 ldap.example.com\n"
      "not-an-address broken\n"
      "10.0.0.9\n"
      "\n"
      "10.0.0.3 last");
  HostsFile hosts(file.path(), clock);
  CHECK(lookup(hosts, "ldap.example.com") == "10.0.0.1 2001:db8::1");
  CHECK(lookup(hosts, "Ldap.Example.COM.") == "10.0.0.1 2001:db8::1");
  CHECK(lookup(hosts, "ldap") == "10.0.0.1");
  CHECK(lookup(hosts, "ldap2").empty());
  CHECK(lookup(hosts, "broken").empty());
  CHECK(lookup(hosts, "10.0.0.9").empty());
  CHECK(lookup(hosts, "last") == "10.0.0.3");
}

TEST_CASE("localhost is there without the file, and whatever the file says") {
  const test::VirtualClock clock;
  HostsFile none("/nonexistent/hosts", clock);
  CHECK(lookup(none, "localhost") == "::1 127.0.0.1");
  CHECK(lookup(none, "db.LocalHost.") == "::1 127.0.0.1");
  CHECK(lookup(none, "notlocalhost").empty());
  CHECK(lookup(none, "example.com").empty());

  const TemporaryFile file("127.0.0.1 localhost\n");
  HostsFile hosts(file.path(), clock);
  CHECK(lookup(hosts, "localhost") == "127.0.0.1 ::1");
}

TEST_CASE("a changed file is read again, looked at once a second") {
  test::VirtualClock clock;
  TemporaryFile file("10.0.0.1 one\n");
  HostsFile hosts(file.path(), clock);
  CHECK(lookup(hosts, "one") == "10.0.0.1");
  CHECK(lookup(hosts, "two").empty());
  file.replace("10.0.0.2 two\n");
  CHECK(lookup(hosts, "one") == "10.0.0.1");
  clock.advance(Millis(999));
  CHECK(lookup(hosts, "one") == "10.0.0.1");
  clock.advance(Millis(1));
  CHECK(lookup(hosts, "one").empty());
  CHECK(lookup(hosts, "two") == "10.0.0.2");
  file.remove();
  clock.advance(Millis(1000));
  CHECK(lookup(hosts, "two").empty());
}

}  // namespace tunnel::dns::testing
