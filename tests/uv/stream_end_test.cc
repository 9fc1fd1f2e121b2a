// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "support/sockets.h"
#include "uv/stream.h"

// How a Stream ends, told and telling.
namespace tunnel::uv::testing {

TEST_CASE("EOF comes after all bytes, and writing goes on") {
  for (auto make : {Pair::tcp, Pair::local}) {
    Talk talk(make());
    const std::string text = pattern(100'000);
    talk.peer.say(text);
    talk.peer.finish();
    talk.stream->start_reading();
    turn_until(talk.loop, [&] { return talk.recorder.has("eof"); });
    CHECK((talk.recorder.bytes == text));
    CHECK(talk.recorder.events == Log{"read", "eof"});
    CHECK_FALSE(talk.stream->is_reading());
    CHECK_FALSE(talk.stream->is_hung_up());
    CHECK(talk.stream->write(as_bytes("answer")) == Stream::Written::done);
    CHECK(talk.peer.hear(0).text == "answer");
  }
}

TEST_CASE("EOF is told when both sides finish") {
  Talk talk(Pair::tcp());
  talk.stream->shutdown();
  talk.peer.say("last");
  talk.peer.finish();
  talk.stream->start_reading();
  turn_until(talk.loop, [&] { return talk.recorder.has("eof"); });
  CHECK(talk.recorder.bytes == "last");
  CHECK(talk.recorder.events == Log{"read", "eof"});
}

// libuv alone reports the second of these as EOF: a short read and POLLHUP.
TEST_CASE("RST is a read error, after the bytes that came before it") {
  Talk quiet(Pair::tcp());
  quiet.peer.reset();
  quiet.stream->start_reading();
  turn_until(quiet.loop, [&] { return !quiet.recorder.events.empty(); });
  CHECK(quiet.recorder.events == Log{"read error ECONNRESET"});
  CHECK_FALSE(quiet.stream->is_reading());

  Talk talk(Pair::tcp());
  talk.peer.say("last words");
  talk.peer.reset();
  talk.stream->start_reading();
  turn_until(talk.loop, [&] { return talk.recorder.events.size() >= 2; });
  CHECK(talk.recorder.bytes == "last words");
  CHECK(talk.recorder.events == Log{"read", "read error ECONNRESET"});
}

TEST_CASE("RST stays a read error when a write has met it first") {
  Talk talk(Pair::tcp());
  talk.peer.say("last words");
  talk.peer.reset();
  CHECK(talk.stream->write(as_bytes("x")) == Stream::Written::failed);
  CHECK(talk.stream->write_error() == UV_ECONNRESET);
  CHECK(talk.stream->write(as_bytes("x")) == Stream::Written::failed);
  talk.stream->start_reading();
  turn_until(talk.loop, [&] { return talk.recorder.events.size() >= 2; });
  CHECK(talk.recorder.bytes == "last words");
  CHECK(talk.recorder.events == Log{"read", "read error ECONNRESET"});
}

TEST_CASE("an orderly end stays one when a write fails behind it") {
  Talk talk(Pair::tcp());
  talk.peer.say("goodbye");
  talk.peer.far.reset();  // FIN; what we write now is answered by RST
  CHECK(talk.stream->write(as_bytes("x")) == Stream::Written::done);
  spin_until(talk.loop, [&] { return talk.stream->is_hung_up(); });
  CHECK(talk.stream->write(as_bytes("x")) == Stream::Written::failed);
  CHECK(talk.stream->write_error() == UV_EPIPE);
  talk.stream->start_reading();
  turn_until(talk.loop, [&] { return talk.recorder.events.size() >= 2; });
  CHECK(talk.recorder.bytes == "goodbye");
  CHECK(talk.recorder.events == Log{"read", "eof"});
}

TEST_CASE("a peer that resets while bytes are pending is a write error, once") {
  Talk talk(Pair::tcp());
  REQUIRE(talk.stream->write(as_bytes(pattern(std::size_t{12} << 20))) == Stream::Written::pending);
  talk.peer.reset();
  turn_until(talk.loop, [&] { return !talk.recorder.events.empty(); });
  for (int i = 0; i < 5; ++i) (void)uv_run(talk.loop.raw(), UV_RUN_NOWAIT);
  CHECK(talk.recorder.events == Log{"write error ECONNRESET"});
  CHECK(talk.stream->pending() == 0);
  CHECK(talk.stream->write_error() == UV_ECONNRESET);
  CHECK(talk.stream->write(as_bytes("x")) == Stream::Written::failed);
  CHECK(talk.stream->is_hung_up());
  talk.stream->shutdown();  // ENOTCONN inside
  talk.stream->start_reading();
  turn_until(talk.loop, [&] { return talk.recorder.events.size() >= 2; });
  CHECK(talk.recorder.events == Log{"write error ECONNRESET", "read error ECONNRESET"});
}

TEST_CASE("FIN follows the pending bytes") {
  for (auto make : {Pair::tcp, Pair::local}) {
    Talk talk(make());
    const std::string text = pattern(std::size_t{12} << 20);
    REQUIRE(talk.stream->write(as_bytes(text)) == Stream::Written::pending);
    talk.stream->shutdown();
    talk.stream->shutdown();
    std::string got;
    bool is_eof = false;
    spin_until(talk.loop, [&] {
      const Pair::Heard heard = talk.peer.hear();
      got += heard.text;
      is_eof = heard.error == 0 && heard.text.empty();
      return is_eof;
    });
    CHECK((got == text));
    CHECK(talk.recorder.events == Log{"drained"});
  }
}

TEST_CASE("FIN leaves at once when nothing is pending, even when the Stream is destroyed then") {
  Talk talk(Pair::tcp());
  CHECK(talk.stream->write(as_bytes("end")) == Stream::Written::done);
  talk.stream->shutdown();
  talk.stream.reset();
  CHECK(talk.peer.hear(0).text == "end");
  const Pair::Heard heard = talk.peer.hear(0);
  CHECK(heard.text.empty());
  CHECK(heard.error == 0);
}

TEST_CASE("reset sends RST, also with bytes pending or after FIN; a unix socket just closes") {
  enum class Before { nothing, pending, shutdown };
  for (Before before : {Before::nothing, Before::pending, Before::shutdown}) {
    Talk talk(Pair::tcp());
    if (before == Before::pending) {
      REQUIRE(talk.stream->write(as_bytes(pattern(std::size_t{12} << 20))) ==
              Stream::Written::pending);
    }
    if (before == Before::shutdown) talk.stream->shutdown();
    talk.stream->reset();
    Pair::Heard heard;
    do heard = talk.peer.hear(0);
    while (!heard.text.empty());
    // After our FIN the kernel tells the peer EOF and no reset any more.
    CHECK(heard.error == (before == Before::shutdown ? 0 : -ECONNRESET));
    if (before == Before::shutdown) {
      int error = 0;
      socklen_t length = sizeof error;
      require(::getsockopt(talk.peer.far.get(), SOL_SOCKET, SO_ERROR, &error, &length) == 0);
      CHECK(error == EPIPE);
    }
    (void)uv_run(talk.loop.raw(), UV_RUN_NOWAIT);
    CHECK(talk.recorder.events.empty());
  }
  Talk local(Pair::local());
  local.stream->reset();
  CHECK(local.peer.hear(0).error == 0);
}

TEST_CASE("after reset every method is harmless") {
  Talk talk(Pair::tcp());
  talk.stream->start_reading();
  talk.stream->reset();
  talk.stream->start_reading();
  talk.stream->stop_reading();
  talk.stream->shutdown();
  talk.stream->reset();
  talk.stream->set_nodelay();
  talk.stream->set_keepalive(1, 1, 1);
  CHECK(talk.stream->write(as_bytes("x")) == Stream::Written::failed);
  CHECK(talk.stream->write_error() == UV_ENOTCONN);
  CHECK(talk.stream->pending() == 0);
  CHECK(talk.stream->fd() == -1);
  CHECK(talk.stream->is_delivered());
  CHECK(talk.stream->is_hung_up());
  CHECK_FALSE(talk.stream->is_reading());
}

TEST_CASE("hung up: a reset and a full close are seen without reading, a half-close is none") {
  Talk talk(Pair::tcp());
  talk.peer.say("unread");
  CHECK_FALSE(talk.stream->is_hung_up());
  talk.peer.finish();
  CHECK_FALSE(talk.stream->is_hung_up());
  talk.peer.reset();
  CHECK(talk.stream->is_hung_up());
  talk.stream->start_reading();
  turn_until(talk.loop, [&] { return talk.recorder.events.size() >= 2; });
  CHECK(talk.recorder.bytes == "unread");

  Talk local(Pair::local());
  local.peer.finish();
  CHECK_FALSE(local.stream->is_hung_up());
  local.peer.far.reset();
  CHECK(local.stream->is_hung_up());
}

TEST_CASE("hung up: not while bytes are still under way behind both FINs") {
  Talk talk(Pair::tcp());
  const int small = 32 * 1024;
  const int large = 200 * 1024;
  require(::setsockopt(talk.peer.far.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == 0);
  require(::setsockopt(talk.stream->fd(), SOL_SOCKET, SO_SNDBUF, &large, sizeof large) == 0);
  talk.peer.finish();
  REQUIRE(talk.stream->write(as_bytes(pattern(std::size_t{12} << 20))) == Stream::Written::pending);
  talk.stream->shutdown();
  // Until the last byte and the FIN are in the kernel's queue, more of it than the peer takes.
  spin_until(talk.loop, [&] {
    if (!talk.recorder.has("drained")) (void)talk.peer.hear();
    return talk.recorder.has("drained");
  });
  CHECK_FALSE(talk.stream->is_delivered());
  CHECK_FALSE(talk.stream->is_hung_up());
  spin_until(talk.loop, [&] {
    (void)talk.peer.hear();
    return talk.stream->is_hung_up();
  });
  CHECK(talk.stream->is_delivered());
}

TEST_CASE("destroying a Stream closes its socket, also while it reads or has bytes pending") {
  for (auto make : {Pair::tcp, Pair::local}) {
    Talk talk(make());
    talk.stream->start_reading();
    REQUIRE(talk.stream->write(as_bytes(pattern(std::size_t{12} << 20))) ==
            Stream::Written::pending);
    talk.stream.reset();
    Pair::Heard heard;
    do heard = talk.peer.hear(0);
    while (!heard.text.empty());
    (void)uv_run(talk.loop.raw(), UV_RUN_NOWAIT);
    CHECK(talk.recorder.events.empty());
  }
}

TEST_CASE("a Stream may be destroyed in each of its events, and none follows") {
  enum class When { read, eof, read_error, write_error, drained };
  for (When when : {When::read, When::eof, When::read_error, When::write_error, When::drained}) {
    Talk talk(Pair::tcp());
    bool is_gone = false;
    talk.recorder.on_any = [&] {
      CHECK_FALSE(is_gone);
      is_gone = true;
      talk.stream.reset();
    };
    const std::string much = pattern(std::size_t{12} << 20);
    switch (when) {
      case When::read:
        talk.peer.say(pattern(300'000));
        talk.stream->start_reading();
        break;
      case When::eof:
        talk.peer.finish();
        talk.stream->start_reading();
        break;
      case When::read_error:
        // Both directions fail in the same turn.
        CHECK(talk.stream->write(as_bytes(much)) == Stream::Written::pending);
        talk.stream->start_reading();
        talk.peer.reset();
        break;
      case When::write_error:
        CHECK(talk.stream->write(as_bytes(much)) == Stream::Written::pending);
        talk.peer.reset();
        break;
      case When::drained:
        CHECK(talk.stream->write(as_bytes(much)) == Stream::Written::pending);
        spin_until(talk.loop, [&] {
          (void)talk.peer.hear();
          return is_gone;
        });
        break;
    }
    turn_until(talk.loop, [&] { return is_gone; });
    talk.loop.run();  // ends, because nothing is left
    CHECK(talk.recorder.events.size() == 1);
  }
}

}  // namespace tunnel::uv::testing
