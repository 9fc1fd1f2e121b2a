// SPDX-License-Identifier: MIT
#include "uv/tap.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/sockets.h"

namespace tunnel::uv {
namespace {

using namespace testing;

struct Overheard final : Tap {
  std::string received, sent;
  std::vector<std::string> ends;

  void on_received(Bytes octets) override { received += as_text(octets); }
  void on_sent(Bytes octets) override { sent += as_text(octets); }
  void on_peer_ended(End end) override {
    ends.emplace_back(end == End::fin ? "peer fin" : "peer reset");
  }
  void on_own_end(End end) override {
    ends.emplace_back(end == End::fin ? "own fin" : "own reset");
  }
};

struct TappedTalk {
  Overheard tap;  // outlives the stream
  Talk talk;
  explicit TappedTalk(Pair pair) : talk(std::move(pair)) {
    talk.stream->set_tap(&tap);
    talk.stream->start_reading();
  }
};

}  // namespace

TEST_CASE("a tap sees what comes and goes, before the owner") {
  TappedTalk tapped(Pair::tcp());
  Overheard& tap = tapped.tap;
  Talk& talk = tapped.talk;
  std::string seen_first;
  talk.recorder.on_any = [&] { seen_first = tap.received; };
  talk.peer.say("question");
  turn_until(talk.loop, [&] { return talk.recorder.bytes == "question"; });
  CHECK(tap.received == "question");
  CHECK(seen_first == "question");
  CHECK(talk.stream->write(as_bytes("answer")) == Stream::Written::done);
  CHECK(tap.sent == "answer");
  CHECK(tap.ends.empty());
}

TEST_CASE("a tap sees bytes that wait for room once, when they are written") {
  TappedTalk tapped(Pair::tcp());
  Overheard& tap = tapped.tap;
  Talk& talk = tapped.talk;
  const std::string block = pattern(1 << 20);
  std::size_t written = 0;
  while (talk.stream->write(as_bytes(block)) == Stream::Written::done) written += block.size();
  CHECK(talk.stream->write(as_bytes("behind it")) == Stream::Written::pending);
  CHECK(tap.sent.size() == written + block.size() + 9);
  std::size_t heard = 0;
  spin_until(talk.loop, [&] {
    heard += talk.peer.hear().text.size();
    return heard == tap.sent.size();
  });
  CHECK(tap.sent.ends_with("behind it"));
}

TEST_CASE("a tap sees half-closes of both sides, ours when it leaves") {
  TappedTalk tapped(Pair::tcp());
  Overheard& tap = tapped.tap;
  Talk& talk = tapped.talk;
  talk.stream->shutdown();
  CHECK(tap.ends == std::vector<std::string>{"own fin"});
  talk.peer.finish();
  turn_until(talk.loop, [&] { return talk.recorder.has("eof"); });
  talk.stream.reset();
  CHECK(tap.ends == std::vector<std::string>{"own fin", "peer fin"});
}

TEST_CASE("a tap sees resets of both sides") {
  TappedTalk tapped(Pair::tcp());
  Overheard& tap = tapped.tap;
  Talk& talk = tapped.talk;
  talk.peer.reset();
  turn_until(talk.loop, [&] { return talk.recorder.has("read error ECONNRESET"); });
  talk.stream->reset();
  CHECK(tap.ends == std::vector<std::string>{"peer reset", "own reset"});
}

TEST_CASE("a stream that is closed without more ado has ended with FIN") {
  TappedTalk tapped(Pair::tcp());
  Overheard& tap = tapped.tap;
  Talk& talk = tapped.talk;
  talk.stream.reset();
  CHECK(tap.ends == std::vector<std::string>{"own fin"});
}

TEST_CASE("a tap that was taken away sees nothing more") {
  TappedTalk tapped(Pair::tcp());
  Overheard& tap = tapped.tap;
  Talk& talk = tapped.talk;
  talk.stream->set_tap(nullptr);
  CHECK(talk.stream->write(as_bytes("unseen")) == Stream::Written::done);
  talk.stream->reset();
  CHECK(tap.sent.empty());
  CHECK(tap.ends.empty());
}

}  // namespace tunnel::uv
