// SPDX-License-Identifier: MIT
#include "tunnel/hop.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/virtual_clock.h"

namespace tunnel::hop_test {
namespace {

struct Known {
  test::VirtualClock clock;
  AddressHistory history;
  AddressBook book{clock, history, [](const std::string&) {}};
};

balance::Endpoint endpoint(config::Target::Form form, const std::string& host) {
  balance::Endpoint made;
  made.form = form;
  made.host = host;
  made.port = 636;
  made.text = host + ":636";
  return made;
}

config::Proxy proxy_at(const std::string& host) {
  config::Proxy proxy;
  proxy.host = host;
  proxy.port = 8080;
  return proxy;
}

const SocketAddress kFirst = SocketAddress::parse_ip("10.0.0.1", 0).value();
const SocketAddress kSecond = SocketAddress::parse_ip("10.0.0.2", 0).value();

std::vector<std::string> texts(const std::vector<Hop>& hops) {
  std::vector<std::string> all;
  for (const Hop& hop : hops) all.push_back(hop.text);
  return all;
}

}  // namespace

TEST_CASE("without proxies the one hop is the target itself") {
  Known known;
  const auto hops =
      hops_to(endpoint(config::Target::Form::name, "dc1.example.com"), {}, known.book);
  REQUIRE(hops.size() == 1);
  CHECK(hops[0].proxy == nullptr);
  CHECK(hops[0].is_name);
  CHECK(hops[0].text == "dc1.example.com:636");
  CHECK(hops[0].addresses(known.book).empty());
  known.book.update("dc1.example.com", {{kFirst, kSecond}, ""});
  const auto addresses = hops[0].addresses(known.book);
  REQUIRE(addresses.size() == 2);
  CHECK(addresses[1].to_string() == "10.0.0.2:636");
}

TEST_CASE("an IP address, a unix socket and an expanded name need no DNS") {
  Known known;
  auto hop = hops_to(endpoint(config::Target::Form::ip, "10.0.0.1"), {}, known.book).front();
  CHECK_FALSE(hop.is_name);
  CHECK(hop.addresses(known.book).front().to_string() == "10.0.0.1:636");

  hop = hops_to(endpoint(config::Target::Form::unix_socket, "/run/x.sock"), {}, known.book).front();
  CHECK_FALSE(hop.is_name);
  CHECK(hop.addresses(known.book).front().is_unix());

  auto expanded = endpoint(config::Target::Form::name, "dc1.example.com");
  expanded.address = kSecond;
  hop = hops_to(expanded, {}, known.book).front();
  CHECK_FALSE(hop.is_name);
  CHECK(hop.addresses(known.book) == std::vector{kSecond});
}

TEST_CASE("a unix path that no address can hold leads nowhere, and DNS is not asked for it") {
  Known known;
  const auto hop = hops_to(endpoint(config::Target::Form::unix_socket, "/" + std::string(200, 'x')),
                           {}, known.book)
                       .front();
  CHECK_FALSE(hop.is_name);
  CHECK(hop.addresses(known.book).empty());
}

TEST_CASE("proxies are taken as they are written, but those that failed lately come last") {
  Known known;
  const std::vector<config::Proxy> proxies = {proxy_at("10.0.0.1"), proxy_at("gate.test"),
                                              proxy_at("10.0.0.2")};
  const auto target = endpoint(config::Target::Form::name, "dc1.example.com");
  CHECK(
      texts(hops_to(target, proxies, known.book)) ==
      std::vector<std::string>{"the proxy 10.0.0.1", "the proxy gate.test", "the proxy 10.0.0.2"});
  SocketAddress failed = kFirst;
  failed.set_port(8080);
  known.book.note_failed(failed);
  CHECK(
      texts(hops_to(target, proxies, known.book)) ==
      std::vector<std::string>{"the proxy gate.test", "the proxy 10.0.0.2", "the proxy 10.0.0.1"});
  // A name is dead when each of its addresses is.
  known.book.update("gate.test", {{kFirst, kSecond}, ""});
  CHECK(hops_to(target, proxies, known.book).front().text == "the proxy gate.test");
  failed = kSecond;
  failed.set_port(8080);
  known.book.note_failed(failed);
  CHECK(hops_to(target, proxies, known.book).front().text == "the proxy 10.0.0.1");
}

}  // namespace tunnel::hop_test
