// SPDX-License-Identifier: MIT
#include "uv/stream.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstring>

#include "support/sockets.h"

namespace tunnel::uv::testing {

namespace {

// Lets the peer read until it has as much as was written.
std::string read_all(Talk& talk, std::size_t size) {
  std::string all;
  spin_until(talk.loop, [&] {
    all += talk.peer.hear().text;
    return all.size() >= size;
  });
  return all;
}

}  // namespace

TEST_CASE("bytes go both ways, over TCP and unix sockets") {
  for (auto make : {Pair::tcp, Pair::local}) {
    Talk talk(make());
    talk.stream->start_reading();
    talk.peer.say("ping");
    turn_until(talk.loop, [&] { return talk.recorder.bytes == "ping"; });
    CHECK(talk.stream->write(as_bytes("pong")) == Stream::Written::done);
    CHECK(talk.peer.hear(0).text == "pong");
    CHECK(talk.stream->pending() == 0);
  }
}

TEST_CASE("reads arrive in the loop's input scratch and may be changed in place") {
  struct Checker final : Stream::Events {
    Loop* loop = nullptr;
    bool is_scratch = false;
    void on_read(MutableBytes bytes) override {
      is_scratch = bytes.data() == loop->input_scratch().data();
      bytes[0] = std::byte{'X'};
    }
    void on_eof() override {}
    void on_read_error(int) override {}
    void on_write_error(int) override {}
    void on_drained() override {}
  } checker;
  Talk talk(Pair::local());
  checker.loop = &talk.loop;
  talk.stream->set_events(checker);
  talk.stream->start_reading();
  talk.peer.say("x");
  turn_until(talk.loop, [&] { return checker.is_scratch; });
}

TEST_CASE("nothing is read while reading is stopped, and everything after it starts again") {
  Talk talk(Pair::tcp());
  talk.stream->start_reading();
  CHECK(talk.stream->is_reading());
  talk.stream->stop_reading();
  talk.stream->stop_reading();
  CHECK_FALSE(talk.stream->is_reading());
  talk.peer.say("later");
  for (int i = 0; i < 5; ++i) (void)uv_run(talk.loop.raw(), UV_RUN_NOWAIT);
  CHECK(talk.recorder.events.empty());
  talk.stream->start_reading();
  talk.stream->start_reading();
  turn_until(talk.loop, [&] { return talk.recorder.bytes == "later"; });
}

TEST_CASE("what a stalled reader leaves over is kept, sent in order, and drained is told once") {
  for (auto make : {Pair::tcp, Pair::local}) {
    Talk talk(make());
    const std::string first = pattern(std::size_t{12} << 20);
    const std::string second = "and a second one";
    REQUIRE(talk.stream->write(as_bytes(first)) == Stream::Written::pending);
    const std::size_t left = talk.stream->pending();
    CHECK(left > 0);
    CHECK(left < first.size());
    // Behind the pending bytes, although the kernel might have room by now.
    CHECK(talk.stream->write(as_bytes(second)) == Stream::Written::pending);
    CHECK(talk.stream->write({}) == Stream::Written::pending);
    CHECK(talk.stream->pending() == left + second.size());
    CHECK_FALSE(talk.stream->is_delivered());

    const std::string got = read_all(talk, first.size() + second.size());
    CHECK((got == first + second));
    turn_until(talk.loop, [&] { return talk.recorder.has("drained"); });
    CHECK(talk.stream->pending() == 0);
    CHECK(talk.stream->write(as_bytes("more")) == Stream::Written::done);
    for (int i = 0; i < 5; ++i) (void)uv_run(talk.loop.raw(), UV_RUN_NOWAIT);
    CHECK(talk.recorder.events == Log{"drained"});
  }
}

TEST_CASE("a full write is no reason for drained") {
  Talk talk(Pair::tcp());
  CHECK(talk.stream->write(as_bytes("all of it")) == Stream::Written::done);
  CHECK(talk.stream->write({}) == Stream::Written::done);
  for (int i = 0; i < 5; ++i) (void)uv_run(talk.loop.raw(), UV_RUN_NOWAIT);
  CHECK(talk.recorder.events.empty());
}

TEST_CASE("bytes written at drained go out too") {
  Talk talk(Pair::local());
  const std::string block = pattern(std::size_t{1} << 20);
  int rounds = 0;
  talk.recorder.on_any = [&] {
    if (++rounds < 3) CHECK(talk.stream->write(as_bytes(block)) == Stream::Written::pending);
  };
  REQUIRE(talk.stream->write(as_bytes(block)) == Stream::Written::pending);
  CHECK((read_all(talk, 3 * block.size()) == block + block + block));
  turn_until(talk.loop, [&] { return rounds == 3; });
}

TEST_CASE("delivered means that the peer's side took the bytes") {
  Talk talk(Pair::tcp());
  CHECK(talk.stream->is_delivered());
  REQUIRE(talk.stream->write(as_bytes(pattern(std::size_t{12} << 20))) == Stream::Written::pending);
  CHECK_FALSE(talk.stream->is_delivered());
  std::size_t got = 0;
  spin_until(talk.loop, [&] {
    got += talk.peer.hear().text.size();
    return talk.stream->is_delivered();
  });
  CHECK(talk.stream->pending() == 0);
  CHECK(got > 0);
}

TEST_CASE("socket options are set") {
  Talk talk(Pair::tcp());
  talk.stream->set_nodelay();
  talk.stream->set_keepalive(61, 11, 7);
  const auto option = [&](int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    require(::getsockopt(talk.stream->fd(), level, name, &value, &length) == 0);
    return value;
  };
  CHECK(option(IPPROTO_TCP, TCP_NODELAY) == 1);
  CHECK(option(SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(option(IPPROTO_TCP, TCP_KEEPIDLE) == 61);
  CHECK(option(IPPROTO_TCP, TCP_KEEPINTVL) == 11);
  CHECK(option(IPPROTO_TCP, TCP_KEEPCNT) == 7);
  CHECK_FALSE(talk.stream->is_unix());

  Talk local(Pair::local());
  local.stream->set_nodelay();
  local.stream->set_keepalive(61, 11, 7);
  CHECK(local.stream->is_unix());
}

TEST_CASE("a descriptor that is none cannot be adopted") {
  Loop loop;
  Recorder recorder;
  const auto stream = Stream::adopt(loop, Fd(1 << 20), AF_INET, recorder);
  REQUIRE_FALSE(stream.has_value());
  CHECK(stream.error().text.ends_with(std::strerror(EBADF)));
}

}  // namespace tunnel::uv::testing
