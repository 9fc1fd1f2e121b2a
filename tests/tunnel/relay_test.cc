// SPDX-License-Identifier: MIT
#include "tunnel/relay.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>

#include "support/sockets.h"

namespace tunnel::relay_test {
namespace {

using uv::testing::Pair;
using uv::testing::pattern;
using uv::testing::spin_until;
using uv::testing::turn_until;

// A plain relay (no TLS: that is e2e's) between a client and a server that the test plays.
struct Bench final : Relay::Owner, uv::testing::IgnoreSigpipe, uv::Stream::Events {
  uv::Loop loop;
  Relay::Settings settings;
  Pair client;
  Pair server;
  std::optional<Outcome> ended;
  std::unique_ptr<Relay> relay;

  explicit Bench(Relay::Settings given = {}, Pair (*make_client)() = Pair::tcp)
      : settings(given), client(make_client()), server(Pair::tcp()) {
    auto near = [&](Pair& pair) {
      return uv::Stream::adopt(loop, std::move(pair.near), pair.family, *this).value();
    };
    relay = std::make_unique<Relay>(
        loop, Relay::Ends{.client = near(client), .server = near(server), .target = "server:1"},
        settings, *this);
    relay->start();
  }
  void on_relay_ended(const Outcome& how) override { ended = how; }
  void on_read(MutableBytes) override {}
  void on_eof() override {}
  void on_read_error(int) override {}
  void on_write_error(int) override {}
  void on_drained() override {}

  void until_ended() {
    turn_until(loop, [&] { return ended.has_value(); });
  }
  // Reads what the peer of `pair` gets until its end; the errno of the end, 0 for EOF.
  int read_to_end(const Pair& pair, std::string& all) {
    std::optional<int> end;
    spin_until(loop, [&] {
      const Pair::Heard heard = pair.hear();
      if (heard.error == -EAGAIN) return false;
      if (heard.error != 0) end = -heard.error;
      if (heard.error == 0 && heard.text.empty()) end = 0;
      all += heard.text;
      return end.has_value();
    });
    return *end;
  }
};

}  // namespace

TEST_CASE("what one read brings fits the other scratch buffer when it is sealed") {
  CHECK(tls::Session::sealed_size(uv::Loop::kInputSize) <= uv::Loop::kOutputSize);
}

TEST_CASE("bytes go both ways and are counted") {
  Bench bench;
  bench.client.say("request");
  spin_until(bench.loop, [&] { return bench.relay->bytes_up() == 7; });
  CHECK(bench.server.hear(0).text == "request");
  bench.server.say("answer");
  spin_until(bench.loop, [&] { return bench.relay->bytes_down() == 6; });
  CHECK(bench.client.hear(0).text == "answer");
}

TEST_CASE("a half-close is passed on, and the other direction goes on") {
  Bench bench;
  bench.client.say("last words");
  bench.client.finish();
  std::string up;
  CHECK(bench.read_to_end(bench.server, up) == 0);
  CHECK(up == "last words");
  CHECK_FALSE(bench.ended);
  bench.server.say("still answering");
  bench.server.finish();
  std::string down;
  CHECK(bench.read_to_end(bench.client, down) == 0);
  CHECK(down == "still answering");
  bench.until_ended();
  CHECK(bench.ended->kind == Kind::ok);
  CHECK(bench.ended->side == Side::client);
}

TEST_CASE("the server may end first while the client goes on sending") {
  Bench bench;
  bench.server.finish();
  std::string down;
  CHECK(bench.read_to_end(bench.client, down) == 0);
  bench.client.say("more");
  spin_until(bench.loop, [&] { return bench.relay->bytes_up() == 4; });
  CHECK(bench.server.hear(0).text == "more");
  bench.client.finish();
  bench.until_ended();
  CHECK(bench.ended->kind == Kind::ok);
  CHECK(bench.ended->side == Side::server);
}

TEST_CASE("a reset by the client reaches the server as a reset, after everything that arrived") {
  Bench bench;
  const std::string text = pattern(300'000);
  bench.client.say(text.substr(0, 1000));
  bench.client.reset();
  std::string up;
  CHECK(bench.read_to_end(bench.server, up) == ECONNRESET);
  CHECK(up == text.substr(0, 1000));
  bench.until_ended();
  CHECK(bench.ended->kind == Kind::reset_by_client);
  CHECK(bench.ended->side == Side::client);
}

TEST_CASE("a reset by the server does not overtake what a slow reader has not fetched yet") {
  Bench bench;
  const std::string text = pattern(3'000'000);
  // The client reads nothing while the server sends; the relay's and the kernel's buffers fill up.
  std::size_t sent = 0;
  spin_until(bench.loop, [&] {
    const ssize_t n = ::send(bench.server.far.get(), text.data() + sent, text.size() - sent,
                             MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) sent += static_cast<std::size_t>(n);
    return sent == text.size() || (n < 0 && bench.relay->bytes_down() > 0);
  });
  bench.server.reset();
  std::string down;
  CHECK(bench.read_to_end(bench.client, down) == ECONNRESET);
  // The kernel throws away what was still in the server's own send queue; what arrived is
  // delivered.
  CHECK(down.size() == bench.relay->bytes_down());
  CHECK(down == text.substr(0, down.size()));
  bench.until_ended();
  CHECK(bench.ended->kind == Kind::reset_by_server);
}

TEST_CASE("a client that does not read stops the server from being read") {
  Bench bench;
  const std::string block = pattern(65536);
  int stalled = 0;
  spin_until(bench.loop, [&] {
    const ssize_t n =
        ::send(bench.server.far.get(), block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    stalled = n < 0 ? stalled + 1 : 0;
    return stalled > 200;
  });
  const std::uint64_t before = bench.relay->bytes_down();
  for (int i = 0; i < 50; ++i) (void)uv_run(bench.loop.raw(), UV_RUN_NOWAIT);
  CHECK(bench.relay->bytes_down() == before);
  // When it reads again, everything that was sent arrives.
  bench.server.finish();
  std::string down;
  CHECK(bench.read_to_end(bench.client, down) == 0);
  CHECK(down.size() == bench.relay->bytes_down());
}

namespace {

// Fills everything on the way from `from` to a peer that does not read.
void fill(Bench& bench, const Pair& from) {
  const std::string block = pattern(65536);
  int stalled = 0;
  spin_until(bench.loop, [&] {
    const ssize_t n =
        ::send(from.far.get(), block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    stalled = n < 0 ? stalled + 1 : 0;
    return stalled > 200;
  });
}

}  // namespace

TEST_CASE("a client's reset is seen although the server does not read, and ends the connection") {
  Bench bench;
  fill(bench, bench.client);
  bench.client.reset();
  bench.until_ended();
  CHECK(bench.ended->kind == Kind::reset_by_client);
}

TEST_CASE("a client that resets while its server is slow still gets its last bytes through") {
  Bench bench;
  fill(bench, bench.client);
  bench.client.reset();
  // The reset is seen, and only then the server reads.
  const auto begin = std::chrono::steady_clock::now();
  spin_until(bench.loop,
             [&] { return std::chrono::steady_clock::now() - begin > std::chrono::seconds(2); });
  REQUIRE_FALSE(bench.ended);
  std::string up;
  CHECK(bench.read_to_end(bench.server, up) == ECONNRESET);
  CHECK(up.size() == bench.relay->bytes_up());
  bench.until_ended();
  CHECK(bench.ended->kind == Kind::reset_by_client);
}

TEST_CASE(
    "a server's reset is seen although the client does not read, and waits for it no longer "
    "than half_close") {
  Bench bench({.half_close = Millis(300)});
  fill(bench, bench.server);
  bench.server.reset();
  bench.until_ended();
  CHECK(bench.ended->kind == Kind::reset_by_server);
}

TEST_CASE("after a pause bytes that came in time count, although idle is over") {
  Bench bench({.idle = Millis(100)});
  (void)uv_run(bench.loop.raw(), UV_RUN_NOWAIT);
  std::this_thread::sleep_for(Millis(50));
  bench.client.say("x");
  std::this_thread::sleep_for(Millis(200));
  spin_until(bench.loop, [&] { return bench.ended || bench.relay->bytes_up() == 1; });
  CHECK_FALSE(bench.ended);
}

TEST_CASE("half_close and idle that end in the same turn end the connection once") {
  Bench bench({.idle = Millis(20), .half_close = Millis(20)});
  bench.client.finish();
  std::string none;
  CHECK(bench.read_to_end(bench.server, none) == 0);
  bench.server.reset();
  std::this_thread::sleep_for(Millis(30));
  bench.until_ended();
  CHECK(bench.ended->kind != Kind::stopped);
  bench.relay->abort({Kind::stopped, Side::tunnel,
                      "the tunnel was stopped"});  // a stop that is forced in the same turn
  CHECK(bench.ended->kind != Kind::stopped);
}

TEST_CASE("the idle timeout resets both sides") {
  Bench bench({.idle = Millis(30), .half_close = Millis(1000)});
  bench.until_ended();
  CHECK(bench.ended->kind == Kind::idle_timeout);
  CHECK(bench.ended->text.find("30ms") != std::string::npos);
  std::string none;
  CHECK(bench.read_to_end(bench.client, none) == ECONNRESET);
  CHECK(bench.read_to_end(bench.server, none) == ECONNRESET);
}

TEST_CASE("a half-closed connection on which nothing comes any more is reset after half_close") {
  Bench bench({.half_close = Millis(30)});
  bench.client.finish();
  bench.until_ended();
  CHECK(bench.ended->kind == Kind::half_close_timeout);
}

TEST_CASE("a unix client cannot be reset, so it sees the end of the stream") {
  Bench bench({.idle = Millis(10)}, Pair::local);
  bench.until_ended();
  std::string none;
  CHECK(bench.read_to_end(bench.client, none) == 0);
}

TEST_CASE("a connection that is idle in a pool ends in order when the process stops") {
  Bench bench;
  bench.client.say("q");
  spin_until(bench.loop, [&] { return bench.relay->bytes_up() == 1; });
  bench.server.say("a");
  spin_until(bench.loop, [&] { return bench.relay->bytes_down() == 1; });
  bench.relay->stop_when_idle();
  bench.until_ended();
  CHECK(bench.ended->kind == Kind::ok);
  CHECK(bench.ended->side == Side::tunnel);
  std::string down;
  CHECK(bench.read_to_end(bench.client, down) == 0);
  CHECK(down == "a");
}

TEST_CASE("a connection whose request is not answered yet is not idle when the process stops") {
  Bench bench;
  bench.client.say("q");
  spin_until(bench.loop, [&] { return bench.relay->bytes_up() == 1; });
  bench.relay->stop_when_idle();
  bench.server.say("answer");
  bench.server.finish();
  std::string down;
  CHECK(bench.read_to_end(bench.client, down) == 0);
  CHECK(down == "answer");
}

TEST_CASE("a connection that is to stay after all is not ended when it is idle") {
  Bench bench;
  bench.client.say("q");
  spin_until(bench.loop, [&] { return bench.relay->bytes_up() == 1; });
  bench.relay->stop_when_idle();
  bench.relay->stay();
  bench.server.say("a");
  // An idle one would end two seconds after that.
  bool is_over = false;
  uv::Timer later(bench.loop, [&] { is_over = true; });
  later.start(Millis(2500));
  turn_until(bench.loop, [&] { return is_over; });
  CHECK_FALSE(bench.ended);
}

TEST_CASE("abort resets both sides at once") {
  Bench bench;
  bench.relay->abort({Kind::connection_lost, Side::tunnel, "why"});
  CHECK(bench.ended->kind == Kind::connection_lost);
  CHECK(bench.ended->text == "why");
  std::string none;
  CHECK(bench.read_to_end(bench.client, none) == ECONNRESET);
}

}  // namespace tunnel::relay_test
