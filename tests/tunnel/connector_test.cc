// SPDX-License-Identifier: MIT
#include "tunnel/connector.h"

#include <doctest/doctest.h>

#include "support/sockets.h"

namespace tunnel::connector_test {
namespace {

using uv::testing::listen_on;
using uv::testing::local_address;
using uv::testing::turn_until;

// A port on which nobody listens: taken and given back.
SocketAddress refused_address() {
  const Fd listener = listen_on(SocketAddress::loopback_v4(0));
  return local_address(listener.get());
}

// A listener whose backlog is full does not answer any more.
struct BlackHole {
  Fd listener = listen_on(SocketAddress::loopback_v4(0), 0);
  SocketAddress address = local_address(listener.get());
  std::vector<Fd> filling;

  BlackHole() {
    for (int i = 0; i < 4; ++i) {
      Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      (void)::connect(fd.get(), address.get(), address.length());
      filling.push_back(std::move(fd));
    }
  }
};

struct RaceBench final : Connector::Owner {
  uv::Loop loop;
  struct Failed : Failure {
    SocketAddress address;
  };
  std::vector<Failed> failures;
  std::optional<Connector::Connected> winner;
  bool is_lost = false;
  std::unique_ptr<Connector> connector;

  void run(std::vector<SocketAddress> addresses, config::Timeout per_address = Millis(5000),
           const SocketAddress* bind = nullptr) {
    connector = std::make_unique<Connector>(
        loop,
        Connector::Race{
            .addresses = std::move(addresses), .per_address = per_address, .bind = bind},
        *this);
    connector->start();
    CHECK_FALSE(is_lost);
    turn_until(loop, [&] { return winner || is_lost; });
  }
  void on_connected(Connector::Connected connected) override {
    winner = std::move(connected);
    connector.reset();
  }
  void on_all_failed() override {
    is_lost = true;
    connector.reset();
  }
  void on_address_failed(const SocketAddress& address, const Failure& why) override {
    failures.push_back({why, address});
  }
};

}  // namespace

TEST_CASE("the first address that answers wins") {
  const Fd listener = listen_on(SocketAddress::loopback_v4(0));
  RaceBench race;
  race.run({local_address(listener.get())});
  REQUIRE(race.winner);
  CHECK(race.winner->address == local_address(listener.get()));
  CHECK(race.failures.empty());
}

// Newer libuv would choose an interface by itself and leave the connection to time out.
TEST_CASE("a link-local address without its interface fails at once and says what it needs") {
  RaceBench race;
  race.run({*SocketAddress::parse_ip("fe80::1", 636)}, config::Timeout());
  CHECK(race.is_lost);
  REQUIRE(race.failures.size() == 1);
  CHECK(race.failures[0].kind == Kind::unreachable);
  CHECK(race.failures[0].text ==
        "a link-local address needs its interface, as in \"[fe80::1%eth0]:636\"");
}

TEST_CASE("a winner tells which addresses had stayed silent") {
  const BlackHole first;
  const BlackHole second;
  const Fd listener = listen_on(SocketAddress::loopback_v4(0));
  const SocketAddress refused = refused_address();
  RaceBench race;
  race.run({first.address, refused, second.address, local_address(listener.get())});
  REQUIRE(race.winner);
  CHECK(race.winner->silent == std::vector{first.address, second.address});
  CHECK(race.failures.size() == 1);
}

TEST_CASE("a refused address makes room for the next one at once") {
  const Fd listener = listen_on(SocketAddress::loopback_v4(0));
  const SocketAddress refused = refused_address();
  RaceBench race;
  race.run({refused, local_address(listener.get())});
  REQUIRE(race.winner);
  REQUIRE(race.failures.size() == 1);
  CHECK(race.failures[0].address == refused);
  CHECK(race.failures[0].kind == Kind::connect_refused);
  CHECK_FALSE(race.failures[0].is_local);
}

TEST_CASE("when all addresses fail, each failure is told") {
  const SocketAddress one = refused_address();
  const SocketAddress missing = SocketAddress::unix_path("/nonexistent/x.sock").value();
  RaceBench race;
  race.run({one, missing});
  CHECK(race.is_lost);
  REQUIRE(race.failures.size() == 2);
  CHECK(race.failures[1].text == "there is no such socket file");
}

TEST_CASE("a source address of the other family is this machine's fault and says so") {
  const SocketAddress bind = SocketAddress::loopback_v6(0);
  RaceBench race;
  race.run({refused_address()}, Millis(5000), &bind);
  CHECK(race.is_lost);
  REQUIRE(race.failures.size() == 1);
  CHECK(race.failures[0].is_local);
  CHECK(race.failures[0].kind == Kind::unreachable);
}

TEST_CASE("an address that never answers is given up after its timeout") {
  const BlackHole hole;
  RaceBench race;
  race.run({hole.address}, Millis(60));
  CHECK(race.is_lost);
  REQUIRE(race.failures.size() == 1);
  CHECK(race.failures[0].kind == Kind::connect_timeout);
  CHECK(race.failures[0].text.find("60ms") != std::string::npos);
}

}  // namespace tunnel::connector_test
