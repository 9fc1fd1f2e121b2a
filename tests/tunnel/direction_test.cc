// SPDX-License-Identifier: MIT
#include "tunnel/direction.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/tunnel/channel_bench.h"

namespace tunnel::direction_test {
namespace {

using namespace testing;
using uv::testing::Pair;
using uv::testing::pattern;
using uv::testing::spin_until;
using State = Direction::State;

// One direction between two plain channels; nothing flows the other way.
struct Bench final : Direction::Owner, uv::testing::IgnoreSigpipe {
  uv::Loop loop;
  Pair from = Pair::tcp();
  Pair to = Pair::tcp();
  Channel source{loop, adopted(loop, from)};
  Channel sink{loop, adopted(loop, to)};
  ChannelRecorder other;  // the way back
  Activity activity;
  Direction direction{{Side::client, source, sink, activity}, *this};
  std::vector<std::string> events;
  std::string filtered;

  Bench() {
    source.attach(direction, other);
    sink.attach(other, direction);
    source.start_reading();
  }
  void on_source_ended(Direction&, Channel::End) override {
    events.push_back("source ended");
    direction.end();
  }
  void on_end_passed(Direction&) override { events.push_back("end passed"); }
  void on_sink_lost(Direction&) override { events.push_back("sink lost"); }
  void on_sink_failed(Direction&) override { events.push_back("sink failed"); }
  void on_sink_drained(Direction&) override {
    events.push_back("drained");
    direction.go_on();
  }
  void on_held_back(Direction&) override { events.push_back("held back"); }
  void on_filtered(Direction&, MutableBytes plaintext) override { filtered += as_text(plaintext); }

  [[nodiscard]] bool has(std::string_view event) const {
    return std::ranges::find(events, event) != events.end();
  }
  // Says so much that the sink's peer, which does not read, holds the source back.
  std::size_t fill() {
    const std::string block = pattern(65536);
    std::size_t sent = 0;
    int stalled = 0;
    spin_until(loop, [&] {
      const ssize_t n =
          ::send(from.far.get(), block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      stalled = n < 0 ? stalled + 1 : 0;
      if (n > 0) sent += static_cast<std::size_t>(n);
      return stalled > 200;
    });
    return sent;
  }
  std::string hear_to_end() {
    std::string all;
    spin_until(loop, [&] {
      const Pair::Heard heard = to.hear();
      all += heard.text;
      return heard.text.empty() && heard.error == 0;
    });
    return all;
  }
};

}  // namespace

TEST_CASE("bytes go from the source to the sink, are counted, and are activity") {
  Bench bench;
  bench.from.say("words");
  spin_until(bench.loop, [&] { return bench.direction.bytes() == 5; });
  CHECK(bench.to.hear(0).text == "words");
  CHECK(bench.activity.at == bench.loop.now());
  CHECK(bench.activity.last_byte_from == Side::client);
  CHECK(bench.events.empty());
}

TEST_CASE("what is sent beside the source's bytes is not counted") {
  Bench bench;
  std::string greeting = "hello";
  bench.direction.send(as_mutable_bytes(greeting));
  CHECK(bench.to.hear(0).text == "hello");
  CHECK(bench.direction.bytes() == 0);
}

TEST_CASE("a sink that does not take bytes stops the source from being read until it has") {
  Bench bench;
  const std::size_t sent = bench.fill();
  CHECK(bench.has("held back"));
  CHECK(bench.direction.is_held_back());
  bench.from.finish();
  CHECK(bench.hear_to_end().size() == sent);
  CHECK(bench.direction.bytes() == sent);
  CHECK(bench.events.back() == "end passed");
}

TEST_CASE("an end is passed on, but not before the bytes that are pending") {
  Bench bench;
  (void)bench.fill();
  bench.direction.end();
  CHECK(bench.direction.state() == State::ending);
  CHECK_FALSE(bench.has("end passed"));
  (void)bench.hear_to_end();
  CHECK(bench.direction.state() == State::ended);
  CHECK(bench.has("end passed"));
}

TEST_CASE("bytes that are filtered go nowhere by themselves") {
  Bench bench;
  bench.direction.set_filtered(true);
  bench.from.say("login");
  spin_until(bench.loop, [&] { return bench.filtered == "login"; });
  CHECK(bench.direction.bytes() == 5);
  bench.direction.set_filtered(false);
  bench.from.say("query");
  spin_until(bench.loop, [&] { return bench.direction.bytes() == 10; });
  CHECK(bench.to.hear(0).text == "query");
}

TEST_CASE("a sink that is lost stops the source, whose owner decides what follows") {
  Bench bench;
  bench.to.reset();
  spin_until(bench.loop, [&] { return bench.sink.is_hung_up(); });
  bench.from.say("for nobody");
  spin_until(bench.loop, [&] { return bench.has("sink lost"); });
  CHECK(bench.direction.is_held_back());
  CHECK(bench.direction.state() == State::open);
  bench.direction.go_on();  // does not read again
  CHECK(bench.direction.is_held_back());
}

TEST_CASE("a direction that is stopped passes on neither bytes nor an end") {
  Bench bench;
  bench.direction.stop();
  bench.from.say("too late");
  bench.from.finish();
  for (int i = 0; i < 5; ++i) (void)uv_run(bench.loop.raw(), UV_RUN_NOWAIT);
  CHECK(bench.direction.bytes() == 0);
  CHECK(bench.events.empty());
  bench.direction.go_on();
  CHECK_FALSE(bench.source.is_reading());
}

}  // namespace tunnel::direction_test
