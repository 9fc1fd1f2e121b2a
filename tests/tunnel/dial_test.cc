// SPDX-License-Identifier: MIT
#include "tunnel/dial.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "tests/tunnel/service_bench.h"

namespace tunnel {
namespace {

using namespace testing;

// The owner of a dial: writes down what it says, and may give up.
struct DialBench final : Dial::Owner, uv::testing::IgnoreSigpipe {
  uv::Loop loop;
  AddressHistory history;
  AddressBook book{loop, history, [](const std::string&) {}};
  const std::unique_ptr<const tls::Context> context = trusting_context();
  const config::Service service{};
  DialSettings settings;
  balance::Endpoint endpoint;
  std::vector<SocketAddress> tried;
  std::unique_ptr<Dial> dial;
  std::vector<Phase> phases;
  int established = 0;
  int failed = 0;
  // Called at each phase; false: gives up.
  std::function<bool(Phase)> goes_on = [](Phase) { return true; };

  void start(const config::Target& target) {
    settings.tls = context.get();
    settings.service = &service;
    endpoint.form = target.form;
    endpoint.host = target.host;
    endpoint.port = target.port;
    endpoint.text = target.text;
    dial = std::make_unique<Dial>(loop, book, endpoint, settings, Caller{}, tried, *this);
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

}  // namespace tunnel
