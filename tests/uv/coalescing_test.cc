// SPDX-License-Identifier: MIT
#include "uv/coalescing.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/sockets.h"
#include "uv/socket.h"
#include "uv/stream_block.h"

namespace tunnel::uv::testing {

namespace {

constexpr std::uint32_t kMany = 64 * 1024;

// A stream of which the pace has said that it is fast.
struct FastTalk : Talk {
  explicit FastTalk(Pair pair) : Talk(std::move(pair)) {
    stream->start_reading();
    stream->block().wait_for(kMany);
  }
  [[nodiscard]] int low_water() const { return socket::low_water(stream->fd()); }
};

}  // namespace

TEST_CASE("a fast stream is read when many bytes are there, and not before") {
  FastTalk talk(Pair::tcp());
  CHECK(talk.low_water() == kMany);
  std::size_t smallest = kMany;
  talk.recorder.on_any = [&, seen = std::size_t{0}]() mutable {
    smallest = std::min(smallest, talk.recorder.bytes.size() - seen);
    seen = talk.recorder.bytes.size();
  };
  for (int i = 0; i < 4; ++i) talk.peer.say(pattern(kMany / 4));
  turn_until(talk.loop, [&] { return talk.recorder.bytes.size() == kMany; });
  // Less only when the look came in between, which takes a millisecond or two.
  CHECK((smallest == kMany || talk.low_water() == 1));
}

TEST_CASE("the last bytes of a fast stream arrive, though they are few") {
  FastTalk talk(Pair::tcp());
  talk.peer.say("the end");
  turn_until(talk.loop, [&] { return talk.recorder.bytes == "the end"; });
  CHECK(talk.low_water() == 1);
  talk.peer.say(", and more");
  turn_until(talk.loop, [&] { return talk.recorder.bytes == "the end, and more"; });
}

TEST_CASE("a stream from which nothing came meanwhile was not held back") {
  FastTalk talk(Pair::tcp());
  ReadPace& pace = talk.stream->block().pace;
  const ReadPace before = pace;
  turn_until(talk.loop, [&] { return talk.low_water() == 1; });
  CHECK(pace == before);
  talk.stream->block().wait_for(kMany);
  talk.peer.say("few");
  turn_until(talk.loop, [&] { return talk.low_water() == 1; });
  CHECK_FALSE(pace == before);
}

TEST_CASE("the end of a fast stream is told, after the few bytes before it") {
  FastTalk talk(Pair::tcp());
  talk.peer.say("last words");
  talk.peer.finish();
  turn_until(talk.loop, [&] { return talk.recorder.has("eof"); });
  CHECK(talk.recorder.bytes == "last words");
}

TEST_CASE("a reset of a fast stream is told") {
  FastTalk talk(Pair::tcp());
  talk.peer.reset();
  turn_until(talk.loop, [&] { return talk.recorder.has("read error ECONNRESET"); });
}

TEST_CASE("a fast stream may end, or stop being read, at any time") {
  Loop loop;
  Recorder recorder;
  for (int i = 0; i < 3; ++i) {
    Pair peer = Pair::tcp();
    auto stream = Stream::adopt(loop, std::move(peer.near), peer.family, recorder).value();
    stream->start_reading();
    stream->block().wait_for(kMany);
    if (i == 1) stream->reset();
    if (i != 2) continue;
    stream->stop_reading();
    turn_until(loop, [&] { return socket::low_water(stream->fd()) == 1; });
  }
  (void)uv_run(loop.raw(), UV_RUN_DEFAULT);  // ends: nothing is looked after any more
}

TEST_CASE("fast unix sockets are read at any byte: the kernel would not say more anyway") {
  FastTalk talk(Pair::local());
  CHECK(talk.low_water() == 1);
}

TEST_CASE("a low-water mark that somebody has set stays") {
  Talk talk(Pair::tcp());
  socket::set_low_water(talk.stream->fd(), 7);
  talk.stream->block().wait_for(kMany);
  CHECK(socket::low_water(talk.stream->fd()) == 7);
  talk.stream->block().wait_for(1);
  CHECK(socket::low_water(talk.stream->fd()) == 7);
}

}  // namespace tunnel::uv::testing
