// SPDX-License-Identifier: MIT
#include "tunnel/dial.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "tests/tunnel/service_bench.h"

namespace tunnel::dial_test {
namespace {

using namespace testing;

// The owner of a dial: writes down what it says, and may give up.
struct DialBench final : Dial::Owner, uv::testing::IgnoreSigpipe {
  uv::Loop loop;
  AddressHistory history;
  AddressBook book{loop, history, [](const std::string&) {}};
  const std::unique_ptr<const tls::Context> context = trusting_context();
  config::Service service;
  DialSettings settings;
  balance::Endpoint endpoint;
  std::vector<SocketAddress> tried;
  std::unique_ptr<Dial> dial;
  std::vector<Phase> phases;
  int established = 0;
  int failed = 0;
  bool is_plain = false;
  uv::Tap* tap = nullptr;
  // Called at each phase; false: gives up.
  std::function<bool(Phase)> goes_on = [](Phase) { return true; };

  void start(const config::Target& target) {
    settings.tls = is_plain ? nullptr : context.get();
    settings.service = &service;
    endpoint.form = target.form;
    endpoint.host = target.host;
    endpoint.port = target.port;
    endpoint.text = target.text;
    dial = std::make_unique<Dial>(
        loop, book,
        Dial::Task{.target = endpoint, .settings = settings, .caller = {}, .tried = tried}, *this);
    dial->start();
  }
  void until(Phase phase) {
    spin_until(loop, [&] { return !phases.empty() && phases.back() == phase; });
  }
  void turn(int times = 5) {
    for (int i = 0; i < times; ++i) (void)uv_run(loop.raw(), UV_RUN_NOWAIT);
  }
  [[nodiscard]] bool is_silent() const { return established == 0 && failed == 0; }

  [[nodiscard]] bool on_phase(Phase phase) override {
    phases.push_back(phase);
    return goes_on(phase);
  }
  void on_established() override { ++established; }
  void on_dial_failed() override { ++failed; }
  [[nodiscard]] Dial::Watchers watchers_of(const uv::Stream&) override { return {.tap = tap}; }
};

}  // namespace

TEST_CASE("a dial reports nothing before start has returned, and one failure") {
  DialBench bench;
  SilentServer silent;
  bench.start(target_at(silent.address()));
  CHECK(bench.phases.empty());
  CHECK_FALSE(bench.dial->has_begun());
  bench.until(Phase::handshaking);
  CHECK(bench.dial->has_begun());
  silent.accept().reset();
  turn_until(bench.loop, [&] { return bench.failed > 0; });
  bench.turn();
  CHECK(bench.failed == 1);
  CHECK(bench.dial->failure().kind == Kind::tls_closed);
  CHECK(bench.phases ==
        std::vector<Phase>{Phase::resolving, Phase::connecting, Phase::handshaking});
}

TEST_CASE("an abandoned dial is silent: while it resolves") {
  DialBench bench;
  bench.settings.timeouts.resolve = Millis(5);
  bench.start(target_named("one.test"));
  bench.until(Phase::resolving);
  bench.dial->abandon();
  bench.book.update("one.test", {{SocketAddress::loopback_v4(0)}, ""});
  ServiceBench::block_until(std::chrono::steady_clock::now() + Millis(10));
  bench.turn();
  CHECK(bench.is_silent());
}

TEST_CASE("an abandoned dial is silent: while it connects") {
  DialBench bench;
  DeafServer deaf;
  bench.settings.timeouts.connect = Millis(5);
  bench.start(target_at(deaf.address()));
  bench.until(Phase::connecting);
  bench.dial->abandon();
  ServiceBench::block_until(std::chrono::steady_clock::now() + Millis(10));
  bench.turn();
  CHECK(bench.is_silent());
  CHECK(bench.phases.back() == Phase::connecting);
}

TEST_CASE("an abandoned dial is silent: while it shakes hands, although its server closes") {
  for (const auto limit : {Millis(5), Millis(60'000)}) {
    DialBench bench;
    SilentServer silent;
    bench.settings.timeouts.handshake = limit;
    bench.start(target_at(silent.address()));
    bench.until(Phase::handshaking);
    silent.accept().reset();
    bench.dial->abandon();
    ServiceBench::block_until(std::chrono::steady_clock::now() + Millis(10));
    bench.turn();
    CHECK(bench.is_silent());
  }
}

TEST_CASE("a dial may be abandoned, or destroyed, in each phase that it enters") {
  for (const Phase last : {Phase::resolving, Phase::connecting, Phase::handshaking}) {
    for (const bool is_destroyed : {false, true}) {
      DialBench bench;
      SilentServer silent;
      bench.goes_on = [&](Phase phase) {
        if (phase != last) return true;
        if (is_destroyed) {
          bench.dial.reset();
        } else {
          bench.dial->abandon();
        }
        return false;
      };
      bench.start(target_at(silent.address()));
      bench.until(last);
      bench.turn();
      CHECK(bench.is_silent());
      CHECK(bench.phases.back() == last);
    }
  }
}

namespace {

// A port of 127.0.0.1 where nothing listens, while something does at the same port of 127.0.0.2.
struct SecondAddress {
  Fd listener = listen_on(SocketAddress::parse_ip("127.0.0.2", 0).value());
  std::uint16_t port = local_address(listener.get()).port();
  [[nodiscard]] config::Target target() const {
    config::Target target = target_named("two.test");
    target.port = port;
    return target;
  }
  [[nodiscard]] static AddressBook::Answer answer() {
    return {{SocketAddress::loopback_v4(0), SocketAddress::parse_ip("127.0.0.2", 0).value()}, ""};
  }
};

config::Proxy proxy_at(const SocketAddress& address) {
  config::Proxy proxy;
  proxy.host = address.ip();
  proxy.port = address.port();
  return proxy;
}

SocketAddress refused_address() {
  const Fd listener = listen_on(SocketAddress::loopback_v4(0));
  return local_address(listener.get());
}

}  // namespace

TEST_CASE("a dial goes on to the next address of a name, and remembers the one that refused") {
  DialBench bench;
  bench.is_plain = true;
  const SecondAddress second;
  bench.book.update("two.test", SecondAddress::answer());
  bench.start(second.target());
  turn_until(bench.loop, [&] { return bench.established == 1; });
  CHECK(bench.failed == 0);
  CHECK(bench.dial->take_stream() != nullptr);
  REQUIRE(bench.tried.size() == 1);
  CHECK(bench.tried[0].ip() == "127.0.0.1");
}

TEST_CASE("no address is tried twice for one connection") {
  DialBench bench;
  bench.is_plain = true;
  const SecondAddress second;
  bench.book.update("two.test", SecondAddress::answer());
  for (const char* ip : {"127.0.0.1", "127.0.0.2"}) {
    bench.tried.push_back(SocketAddress::parse_ip(ip, second.port).value());
  }
  bench.start(second.target());
  turn_until(bench.loop, [&] { return bench.failed == 1; });
  CHECK(bench.dial->failure().kind == Kind::unreachable);
  CHECK(bench.dial->failure().is_local);
  CHECK(bench.dial->failure().text == "two.test:1 has no address that was not tried already");
}

TEST_CASE("the failure that got furthest is the one that is reported") {
  DialBench bench;
  const SecondAddress second;
  bench.book.update("two.test", SecondAddress::answer());
  bench.goes_on = [&](Phase phase) {
    // Something else than TLS answers at the second address.
    if (phase != Phase::handshaking) return true;
    const Fd server(::accept(second.listener.get(), nullptr, nullptr));
    uv::testing::require(::send(server.get(), "220 smtp", 8, MSG_NOSIGNAL) == 8);
    return true;
  };
  bench.start(second.target());
  turn_until(bench.loop, [&] { return bench.failed == 1; });
  CHECK(bench.tried.size() == 2);
  CHECK(bench.dial->failure().kind != Kind::connect_refused);
  CHECK_FALSE(bench.dial->failure().is_local);
}

TEST_CASE(
    "a name that DNS does not answer is given up after timeouts.resolve, as a local failure") {
  DialBench bench;
  bench.settings.timeouts.resolve = Millis(5);
  bench.start(target_named("one.test"));
  turn_until(bench.loop, [&] { return bench.failed == 1; });
  CHECK(bench.dial->failure().kind == Kind::resolve_failed);
  CHECK(bench.dial->failure().is_local);
  CHECK(bench.dial->times().resolve >= Micros(0));
  CHECK(bench.dial->times().connect == PhaseTimes::kNever);
}

TEST_CASE("a proxy that cannot be reached is not the target's fault") {
  DialBench bench;
  bench.service.proxies = {proxy_at(refused_address())};
  bench.start(target_named("dc1.test"));
  turn_until(bench.loop, [&] { return bench.failed == 1; });
  CHECK(bench.dial->failure().is_local);
  CHECK(bench.dial->failure().text.starts_with("cannot connect to the proxy 127.0.0.1 at "));
}

TEST_CASE("the second proxy is used when the first cannot be reached") {
  DialBench bench;
  bench.is_plain = true;
  const SilentServer proxy;
  bench.service.proxies = {proxy_at(refused_address()), proxy_at(proxy.address())};
  bench.start(target_named("dc1.test"));
  Fd server;
  std::string asked;
  spin_until(bench.loop, [&] {
    if (!server.valid()) server = proxy.accept();
    char buffer[512];
    const ssize_t n = server.valid() ? ::recv(server.get(), buffer, sizeof buffer, 0) : -1;
    if (n > 0) asked.append(buffer, static_cast<std::size_t>(n));
    return asked.ends_with("\r\n\r\n");
  });
  CHECK(asked.starts_with("CONNECT dc1.test:1 "));
  const std::string answer = "HTTP/1.1 200 OK\r\n\r\n";
  uv::testing::require(::send(server.get(), answer.data(), answer.size(), MSG_NOSIGNAL) > 0);
  turn_until(bench.loop, [&] { return bench.established == 1; });
  CHECK(bench.phases == std::vector<Phase>{Phase::resolving, Phase::connecting, Phase::resolving,
                                           Phase::connecting, Phase::preamble, Phase::established});
}

namespace {

struct CountingTap final : uv::Tap {
  std::size_t sent = 0;
  std::size_t received = 0;
  int ended = 0;
  void on_sent(Bytes octets) override { sent += octets.size(); }
  void on_received(Bytes octets) override { received += octets.size(); }
  void on_peer_ended(End) override { ++ended; }
  void on_own_end(End) override { ++ended; }
};

}  // namespace

TEST_CASE("a tap sees the octets of a handshake from the first one, also of one that fails") {
  CountingTap tap;
  DialBench bench;
  bench.tap = &tap;
  SilentServer silent;
  bench.start(target_at(silent.address()));
  bench.until(Phase::handshaking);
  const Fd server = silent.accept();
  uv::testing::require(::send(server.get(), "220 smtp", 8, MSG_NOSIGNAL) == 8);
  turn_until(bench.loop, [&] { return bench.failed == 1; });
  CHECK(tap.sent > 100);
  CHECK(tap.received == 8);
  CHECK(tap.ended == 1);
}

}  // namespace tunnel::dial_test
