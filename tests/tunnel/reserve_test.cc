// SPDX-License-Identifier: MIT
#include "tunnel/reserve.h"

#include <doctest/doctest.h>

#include "reserve_bench.h"

namespace tunnel::testing {
namespace {

using Bench = ReserveBench;

}  // namespace

TEST_SUITE("reserve") {
  TEST_CASE("so many are kept ready as are asked for, and one that is taken is replaced") {
    Bench bench(2);
    bench.wait(2, 2);
    CHECK(bench.handle.life->ready_workers.load() == 4);
    CHECK(bench.handle.life->tally.connect.read().count() == 2);
    CHECK(bench.layout->targets()[0]->in_flight() == 2);
    const auto taken = bench.service->take_preconnected();
    REQUIRE(taken);
    CHECK(taken->ends.server != nullptr);
    CHECK(taken->claim);
    bench.wait(2, 3);
    CHECK(bench.layout->targets()[0]->in_flight() == 3);
  }

  TEST_CASE("a client is served by one, and what the server has said before comes first") {
    Bench bench(1);
    bench.wait(1, 1);
    bench.say(0, "hello ");
    bench.turn(10);
    Pair client = Pair::tcp();
    bench.take(client);
    bench.say(0, "you");
    std::string text;
    spin_until(bench.loop, [&] {
      char byte = 0;
      while (::recv(client.far.get(), &byte, 1, MSG_DONTWAIT) == 1) text += byte;
      return text.size() >= 9;
    });
    CHECK(text == "hello you");
    bench.wait(1, 2);
  }

  TEST_CASE("one that its server has ended is not handed over") {
    Bench bench(1);
    bench.wait(1, 1);
    bench.accepted[0].reset();
    // The loop has not seen it.
    CHECK_FALSE(bench.service->take_preconnected());
    CHECK(bench.ready() == 0);
    bench.wait(1, 2);
  }

  TEST_CASE("one that its server ends before anything has passed is dialled again, unseen") {
    for (const bool is_reset : {false, true}) {
      CAPTURE(is_reset);
      Bench bench(1);
      bench.wait(1, 1);
      Pair client = Pair::tcp();
      bench.take(client);
      bench.wait(1, 2);  // one is ready again
      const linger hard{.l_onoff = is_reset ? 1 : 0, .l_linger = 0};
      (void)::setsockopt(bench.accepted[0].get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
      bench.accepted[0].reset();
      bench.wait(1, 3);
      client.say("hi");
      spin_until(bench.loop, [&] { return bench.heard(2) == "hi"; });
      bench.say(2, "there");
      spin_until(bench.loop, [&] { return client.hear().text == "there"; });
      CHECK(bench.layout->targets()[0]->in_flight() == 2);
      CHECK(bench.handle.life->tally.stages[static_cast<std::size_t>(Stage::open)].value() == 1);
      bench.service->abort();
      turn_until(bench.loop, [&] { return bench.gone == 1; });
      CHECK(bench.log.closed == std::vector<std::string>{"stopped"});
    }
  }

  TEST_CASE(
      "a client that is dialled for again may leave, and fails when its server cannot be reached") {
    for (const bool leaves : {false, true}) {
      CAPTURE(leaves);
      Bench bench(1);
      bench.wait(1, 1);
      Pair client = Pair::tcp();
      bench.take(client);
      bench.wait(1, 2);
      if (leaves) client.reset();
      bench.server.listener.reset();
      bench.accepted.clear();
      turn_until(bench.loop, [&] { return bench.gone == 1; });
      REQUIRE(bench.log.closed.size() == 1);
      CHECK(bench.log.closed[0] == (leaves ? "reset_by_client" : "connect_refused"));
    }
  }

  TEST_CASE("an end of its server after anything has passed is the client's to know") {
    enum class Passed { greeting, answer, word, end };
    for (const Passed passed : {Passed::greeting, Passed::answer, Passed::word, Passed::end}) {
      CAPTURE(static_cast<int>(passed));
      Bench bench(1);
      bench.wait(1, 1);
      if (passed == Passed::greeting) bench.say(0, "hello");
      bench.turn(10);
      Pair client = Pair::tcp();
      bench.take(client);
      bench.wait(1, 2);
      if (passed == Passed::answer) bench.say(0, "hello");
      if (passed == Passed::word) {
        client.say("x");
        spin_until(bench.loop, [&] { return bench.heard(0) == "x"; });
      }
      if (passed == Passed::end) {
        client.finish();
        bench.turn(10);
      }
      bench.accepted[0].reset();
      bool has_ended = false;
      spin_until(bench.loop, [&] {
        const Pair::Heard heard = client.hear();
        has_ended = heard.error == 0 && heard.text.empty();
        return has_ended;
      });
      CHECK(has_ended);
      bench.turn(10);
      CHECK_FALSE(bench.server.accept().valid());
    }
  }

  TEST_CASE("a server that ends them soon is asked again in growing intervals") {
    Bench bench(1);
    bench.wait(1, 1);
    const TimePoint begin = bench.loop.now();
    for (std::size_t round = 1; round <= 2; ++round) {
      bench.accepted.back().reset();
      bench.wait(1, round + 1);
    }
    CHECK(bench.loop.now() - begin >= (Reserve::kFirstDelay * 3) * 8 / 10 - Millis(5));
    CHECK(bench.layout->targets()[0]->health().is_up());
  }

  TEST_CASE("an old one is replaced, and says goodbye") {
    Bench bench(1, Millis(50));
    bench.wait(1, 1);
    bench.wait(1, 2);
    char byte = 0;
    CHECK(::recv(bench.accepted[0].get(), &byte, 1, 0) == 0);
  }

  TEST_CASE("one whose target has left is closed, and so are all when no clients are expected") {
    Bench bench(2);
    bench.wait(2, 2);
    SUBCASE("left") {
      config::Service written = bench.handle.settings();
      SilentServer other;
      written.connect = {{target_at(other.address())}};
      bench.build(written);
      bench.service->set_targets(bench.layout, "");
    }
    SUBCASE("no clients") { bench.service->stop_preconnecting(); }
    SUBCASE("retired") { bench.service->retire(); }
    CHECK(bench.ready() == 0);
    CHECK(bench.handle.life->ready_workers.load() == 0);
    CHECK_FALSE(bench.service->take_preconnected());
    char byte = 0;
    for (const Fd& fd : bench.accepted) {
      turn_until(bench.loop, [&] { return ::recv(fd.get(), &byte, 1, MSG_DONTWAIT) == 0; });
    }
  }

  TEST_CASE("a target that cannot be reached is ejected before a client comes") {
    Bench bench(1);
    bench.wait(1, 1);
    bench.server.listener.reset();
    bench.accepted.clear();
    turn_until(bench.loop, [&] { return !bench.layout->targets()[0]->health().is_up(); });
    CHECK(bench.ready() == 0);
  }
}

}  // namespace tunnel::testing
