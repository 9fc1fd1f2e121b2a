// SPDX-License-Identifier: MIT
#include "tunnel/connection.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/tunnel/service_bench.h"

namespace tunnel::connection_test {
namespace {

using namespace testing;
using std::chrono::steady_clock;

constexpr Millis kDeadline{40};

// What a dial waits for when its connection ends.
enum class Waiting { for_dns, for_tcp, for_tls };
// What else happens in the turn in which `timeouts.dial` is over, or a stop is forced.
enum class Meanwhile { nothing, server_closes, server_resets, client_leaves, answer_comes };
enum class End { dial_is_over, stop_is_forced };
// A turn that comes much too late looks at the sockets first; one that is barely late does not.
enum class Turn { barely_late, much_too_late };

std::string name_of(Waiting waiting, Meanwhile meanwhile, End end, Turn turn) {
  return "waiting " + std::to_string(static_cast<int>(waiting)) + ", meanwhile " +
         std::to_string(static_cast<int>(meanwhile)) + ", end " +
         std::to_string(static_cast<int>(end)) + ", turn " + std::to_string(static_cast<int>(turn));
}

// One client whose dial waits, with every deadline of the dial at the same time.
struct Meeting : ServiceBench {
  SilentServer silent;
  DeafServer deaf;
  Pair client = Pair::tcp();
  Fd server;
  steady_clock::time_point begin;

  explicit Meeting(Waiting waiting, Millis deadline = kDeadline) {
    config::Timeouts timeouts;
    timeouts.resolve = timeouts.connect = timeouts.handshake = timeouts.dial = deadline;
    config::Target target = target_named("one.test");
    if (waiting == Waiting::for_tcp) target = target_at(deaf.address());
    if (waiting == Waiting::for_tls) target = target_at(silent.address());
    serve({target}, timeouts);
    begin = steady_clock::now();
    take(client);
    if (waiting == Waiting::for_tls) {
      turn_until(loop, [&] {
        if (!server.valid()) server = silent.accept();
        return server.valid();
      });
      // Its side of the connection is established, and the client hello is on its way.
      turn(2);
    } else {
      turn(3);
    }
  }
  void happen(Meanwhile meanwhile) {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    switch (meanwhile) {
      case Meanwhile::nothing:
        return;
      case Meanwhile::server_resets:
        (void)::setsockopt(server.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        [[fallthrough]];
      case Meanwhile::server_closes:
        return server.reset();
      case Meanwhile::client_leaves:
        return client.reset();
      case Meanwhile::answer_comes:
        return book.update("one.test", {{silent.address()}, ""});
    }
  }
};

}  // namespace

TEST_CASE("a connection that ends while its dial is under way ends once, whatever else is due") {
  for (const Waiting waiting : {Waiting::for_dns, Waiting::for_tcp, Waiting::for_tls}) {
    for (const Meanwhile meanwhile :
         {Meanwhile::nothing, Meanwhile::server_closes, Meanwhile::server_resets,
          Meanwhile::client_leaves, Meanwhile::answer_comes}) {
      for (const End end : {End::dial_is_over, End::stop_is_forced}) {
        for (const Turn turn : {Turn::barely_late, Turn::much_too_late}) {
          CAPTURE(name_of(waiting, meanwhile, end, turn));
          Meeting meeting(waiting);
          meeting.block_until(meeting.begin + kDeadline + Millis(5) +
                              (turn == Turn::much_too_late ? uv::Loop::kLate : Millis(0)));
          meeting.happen(meanwhile);
          if (end == End::stop_is_forced) meeting.service->abort();
          turn_until(meeting.loop, [&] { return meeting.gone == 1; });
          meeting.turn();
          CHECK(meeting.gone == 1);
          REQUIRE(meeting.log.closed.size() == 1);
          CHECK(meeting.log.closed[0] != "ok");
        }
      }
    }
  }
}

TEST_CASE("a dial that ends by a forced stop says nothing more when its server closes") {
  Meeting meeting(Waiting::for_tls, std::chrono::minutes(1));
  meeting.service->abort();
  meeting.happen(Meanwhile::server_closes);
  turn_until(meeting.loop, [&] { return meeting.gone == 1; });
  meeting.turn();
  CHECK(meeting.log.closed == std::vector<std::string>{"stopped"});
}

// The one conversation in which the client is read before a target is established.
TEST_CASE(
    "a client that leaves in MySQL's conversation takes its dial along, whatever comes then") {
  const std::string payload = std::string("\x0a") + "8.0" + std::string(1, '\0') +
                              std::string("\x07\0\0\0", 4) + "scramble" + std::string(1, '\0') +
                              std::string("\xff\xff\x2d\x02\x00\xff\xdf\x15", 8) +
                              std::string(10, '\0') + "scramble-two" + std::string(1, '\0') +
                              "caching_sha2_password" + std::string(1, '\0');
  const std::string greeting =
      std::string(1, static_cast<char>(payload.size())) + std::string(3, '\0') + payload;
  for (const Meanwhile meanwhile : {Meanwhile::nothing, Meanwhile::server_closes}) {
    for (const bool is_client_first : {true, false}) {
      ServiceBench bench;
      SilentServer silent;
      bench.serve({target_at(silent.address())}, {}, {}, config::Starttls::mysql);
      Pair client = Pair::tcp();
      bench.take(client);
      Fd server;
      spin_until(bench.loop, [&] {
        if (!server.valid()) server = silent.accept();
        return server.valid();
      });
      REQUIRE(::send(server.get(), greeting.data(), greeting.size(), MSG_NOSIGNAL) ==
              static_cast<ssize_t>(greeting.size()));
      spin_until(bench.loop, [&] { return !client.hear().text.empty(); });
      if (is_client_first) client.finish();
      if (meanwhile == Meanwhile::nothing) {
        (void)::send(server.get(), "more", 4, MSG_NOSIGNAL);
      } else {
        server.reset();
      }
      if (!is_client_first) client.finish();
      turn_until(bench.loop, [&] { return bench.gone == 1; });
      bench.turn();
      REQUIRE(bench.log.closed.size() == 1);
      CHECK(bench.log.closed[0] != "ok");
    }
  }
}

// With all defaults, too, three times `handshake` is `dial`.
TEST_CASE("several servers that accept and never answer end their clients, and nothing else") {
  ServiceBench bench;
  SilentServer servers[3];
  config::Timeouts timeouts;
  timeouts.handshake = Millis(30);
  timeouts.dial = Millis(90);
  bench.serve({target_at(servers[0].address()), target_at(servers[1].address()),
               target_at(servers[2].address())},
              timeouts);
  Pair clients[5] = {Pair::tcp(), Pair::tcp(), Pair::tcp(), Pair::tcp(), Pair::tcp()};
  const auto begin = steady_clock::now();
  for (Pair& client : clients) bench.take(client);
  std::vector<Fd> accepted;
  spin_until(bench.loop, [&] {
    for (const SilentServer& server : servers) {
      if (Fd one = server.accept(); one.valid()) accepted.push_back(std::move(one));
    }
    return accepted.size() == 15 || bench.gone > 0;
  });
  // The third server's time and everybody's are over in the same turn.
  bench.block_until(begin + *timeouts.dial + Millis(20));
  turn_until(bench.loop, [&] { return bench.gone == 5; });
  bench.turn();
  CHECK(bench.log.closed.size() == 5);
}

TEST_CASE("a target that is taken in the moment in which the time is over has not failed") {
  ServiceBench bench;
  SilentServer silent;
  config::Timeouts timeouts;
  timeouts.handshake = Millis(30);
  timeouts.dial = Millis(200);
  bench.serve({target_at(silent.address()), target_named("never.asked.test")}, timeouts);
  Pair client = Pair::tcp();
  const auto begin = steady_clock::now();
  bench.take(client);
  Fd server;
  turn_until(bench.loop, [&] {
    server = silent.accept();
    return server.valid();
  });
  bench.turn(2);
  bench.block_until(begin + *timeouts.dial + Millis(5));
  turn_until(bench.loop, [&] { return bench.gone == 1; });
  CHECK(bench.log.closed == std::vector<std::string>{"tls_timeout"});
}

}  // namespace tunnel::connection_test
