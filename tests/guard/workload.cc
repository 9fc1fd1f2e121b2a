// SPDX-License-Identifier: MIT
// Fixed small workloads whose instructions guard.py counts under valgrind: only those that run
// inside counted(), so that the other half of each conversation is free.
#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "support/sockets.h"
#include "tests/tls/fixture.h"
#include "tests/tunnel/reserve_bench.h"
#include "tunnel/relay.h"

using namespace tunnel;
using namespace tunnel::test;
using namespace tunnel::tls::test;
using uv::testing::Pair;

// guard.py knows it by this name.
[[gnu::noinline]] void counted(const std::function<void()>& work) {
  work();
  asm volatile("" ::: "memory");  // no tail call: it must be seen to return
}

namespace {

// A handshake over memory; the client's half counts.
std::unique_ptr<tls::Session> shake_hands(const Fixture& f, TestServer& server) {
  auto session = std::unique_ptr<tls::Session>();
  std::string room(32768, '\0');
  counted([&] { session = std::make_unique<tls::Session>(f.context(), f.peer); });
  std::string input;
  while (true) {
    OutBuffer out({reinterpret_cast<std::byte*>(room.data()), room.size()});
    tls::Io io = tls::Io::again;
    counted([&] {
      session->feed(as_bytes(input));
      io = session->handshake(out);
    });
    server.receive(as_text(out.filled()));
    REQUIRE(io != tls::Io::failed);
    if (io == tls::Io::done) return session;
    input = server.take_output();
    REQUIRE_FALSE(input.empty());
  }
}

// A relay on unix sockets, where whatever one side says is there for the other at once: the number
// of turns and reads is always the same. The turns of its loop count.
struct Relayed final : Relay::Owner, uv::testing::IgnoreSigpipe, uv::Stream::Events {
  Fixture f;
  std::unique_ptr<TestServer> server;
  uv::Loop loop;
  Relay::Settings settings;
  Pair client = Pair::local();
  Pair target = Pair::local();
  Traffic of_service, of_target;
  std::unique_ptr<Relay> relay;
  bool has_ended = false;

  Relayed() {
    f.load();
    server = std::make_unique<TestServer>(f.options);
    auto session = shake_hands(f, *server);
    auto near = [&](Pair& pair) {
      return uv::Stream::adopt(loop, std::move(pair.near), pair.family, *this).value();
    };
    relay = std::make_unique<Relay>(loop,
                                    Relay::Ends{.client = near(client),
                                                .server = near(target),
                                                .session = std::move(session),
                                                .target = "server:1",
                                                .of_service = &of_service,
                                                .of_target = &of_target},
                                    settings, *this);
    relay->start();
  }
  ~Relayed() {
    relay->abort({Kind::stopped, Side::tunnel, "the workload is over"});
    relay.reset();
  }
  void turn() {
    counted([&] { (void)uv_run(loop.raw(), UV_RUN_NOWAIT); });
  }
  void up(const std::string& text) {
    client.say(text);
    turn();
    server->receive(target.hear().text);
  }
  void down(const std::string& text) {
    server->send(text);
    target.say(server->take_output());
    turn();
    REQUIRE(client.hear().text.size() == text.size());
  }

  void on_relay_ended(const Outcome&) override { has_ended = true; }
  void on_read(MutableBytes) override {}
  void on_eof() override {}
  void on_read_error(int) override {}
  void on_write_error(int) override {}
  void on_drained() override {}
};

}  // namespace

TEST_CASE("handshakes") {
  Fixture f;
  f.load();
  for (int i = 0; i < 2; ++i) {
    TestServer server(f.options);
    const auto session = shake_hands(f, server);
    CHECK(server.is_established());
  }
}

TEST_CASE("streams") {
  // Less than what a unix socket's buffer takes at once.
  const std::string text = uv::testing::pattern(64 * 1024);
  Relayed relayed;
  for (int i = 0; i < 12; ++i) {
    relayed.up(text);
    relayed.down(text);
  }
  CHECK(relayed.server->received().size() == 12 * text.size());
  CHECK_FALSE(relayed.has_ended);
}

TEST_CASE("requests") {
  const std::string text = uv::testing::pattern(100);
  Relayed relayed;
  for (int i = 0; i < 400; ++i) {
    relayed.up(text);
    relayed.down(text);
  }
  CHECK(relayed.server->received().size() == 400 * text.size());
  CHECK_FALSE(relayed.has_ended);
}

// From the accepted client to the relay, over a connection that was ready: no dial, no turn.
TEST_CASE("preconnected") {
  testing::ReserveBench bench(1);
  bench.log.most = log::Level::info;
  for (std::size_t i = 1; i <= 100; ++i) {
    bench.wait(1, i);
    Pair client = Pair::tcp();
    counted([&] { bench.take(client); });
    client.reset();
    testing::turn_until(bench.loop, [&] { return bench.gone == static_cast<int>(i); });
  }
}
