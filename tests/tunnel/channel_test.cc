// SPDX-License-Identifier: MIT
#include "tunnel/channel.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/tls/fixture.h"
#include "tests/tunnel/channel_bench.h"

namespace tunnel::channel_test {
namespace {

using namespace testing;
using tls::test::Fixture;
using tls::test::TestServer;
using uv::testing::Pair;
using uv::testing::pattern;
using How = Channel::End::How;

// A server that has shaken hands over memory, and the session that has.
struct Established {
  Fixture f;
  std::unique_ptr<TestServer> server;
  std::unique_ptr<tls::Session> session;

  Established() {
    f.load();
    server = std::make_unique<TestServer>(f.options);
    session = std::make_unique<tls::Session>(f.context(), f.peer);
    std::string room(32768, '\0');
    std::string input;
    for (tls::Io io = tls::Io::again; io != tls::Io::done;) {
      OutBuffer out(as_mutable_bytes(room));
      session->feed(as_bytes(input));
      io = session->handshake(out);
      server->receive(as_text(out.filled()));
      REQUIRE(io != tls::Io::failed);
      input = server->take_output();
    }
  }
};

// The same, on a socket.
struct TlsBench : Established, ChannelBench {
  explicit TlsBench(Pair pair = Pair::tcp()) : ChannelBench(std::move(pair), std::move(session)) {
    channel.start_reading();
  }
  void flush() { peer.say(server->take_output()); }
};

bool has_end(const ChannelRecorder& recorder, How how) {
  return recorder.ends.size() == 1 && recorder.ends.front().how == how;
}

}  // namespace

TEST_CASE("a plain channel carries bytes both ways and reports the peer's FIN as its end") {
  ChannelBench bench;
  CHECK_FALSE(bench.channel.speaks_tls());
  bench.channel.start_reading();
  bench.peer.say("hello");
  bench.until([&] { return bench.recorder.plaintext == "hello"; });
  std::string answer = "good day";
  CHECK(bench.channel.write(as_mutable_bytes(answer)) == Channel::Written::done);
  CHECK(bench.hear(8) == "good day");
  bench.peer.finish();
  bench.until([&] { return !bench.recorder.ends.empty(); });
  CHECK(has_end(bench.recorder, How::fin));
}

TEST_CASE("closing a plain channel sends FIN, and it can still be read") {
  ChannelBench bench;
  bench.channel.start_reading();
  CHECK(bench.channel.close() == Channel::Written::done);
  CHECK_FALSE(bench.channel.is_bare_end_expected());
  const Pair::Heard heard = bench.peer.hear(0);
  CHECK(heard.text.empty());
  CHECK(heard.error == 0);
  bench.peer.say("more");
  bench.until([&] { return bench.recorder.plaintext == "more"; });
}

TEST_CASE("a reset is reported with its error, after all bytes") {
  ChannelBench bench;
  bench.channel.start_reading();
  bench.peer.say("last words");
  bench.peer.reset();
  bench.until([&] { return !bench.recorder.ends.empty(); });
  CHECK(bench.recorder.plaintext == "last words");
  CHECK(has_end(bench.recorder, How::reset));
  CHECK(bench.recorder.ends.front().uv_error == UV_ECONNRESET);
}

TEST_CASE("what the peer does not take is pending, and on_drained says when it is out") {
  ChannelBench bench;
  std::string block = pattern(1 << 20);
  std::size_t sent = 0;
  Channel::Written written = Channel::Written::done;
  while (written == Channel::Written::done) {
    written = bench.channel.write(as_mutable_bytes(block));
    sent += block.size();
  }
  CHECK(written == Channel::Written::pending);
  CHECK(bench.channel.pending() > 0);
  CHECK_FALSE(bench.channel.is_delivered());
  CHECK(bench.hear(sent).size() == sent);
  bench.until([&] { return bench.recorder.drained == 1; });
  CHECK(bench.channel.pending() == 0);
}

TEST_CASE("a channel that is lost to writing takes no more, and what it had sent is still read") {
  ChannelBench bench;
  bench.peer.say("unread");
  bench.peer.reset();
  std::string text = "x";
  bench.until(
      [&] { return bench.channel.write(as_mutable_bytes(text)) == Channel::Written::lost; });
  CHECK(bench.channel.lost() != 0);
  CHECK(bench.recorder.lost == 0);  // the call has said it
  CHECK(bench.channel.write(as_mutable_bytes(text)) == Channel::Written::done);
  bench.channel.start_reading();
  bench.until([&] { return !bench.recorder.ends.empty(); });
  CHECK(bench.recorder.ends.size() == 1);
}

TEST_CASE("a look at a channel that is held back finds the peer's reset") {
  ChannelBench bench;
  bench.peer.say("unread");
  bench.channel.look();
  CHECK(bench.recorder.lost == 0);
  bench.peer.reset();
  bench.until([&] { return bench.channel.is_hung_up(); });
  bench.channel.look();
  CHECK(bench.recorder.lost == 1);
  CHECK(bench.channel.lost() == UV_ECONNRESET);
  bench.channel.look();
  CHECK(bench.recorder.lost == 1);
}

TEST_CASE("a TLS channel carries plaintext both ways, and close_notify is its end, once") {
  TlsBench bench;
  CHECK(bench.channel.speaks_tls());
  bench.server->send("hello");
  bench.flush();
  bench.until([&] { return bench.recorder.plaintext == "hello"; });
  std::string answer = "good day";
  CHECK(bench.channel.write(as_mutable_bytes(answer)) == Channel::Written::done);
  bench.until([&] {
    bench.server->receive(bench.peer.hear().text);
    return bench.server->received() == "good day";
  });
  bench.server->send_close_notify();
  bench.flush();
  bench.peer.finish();
  bench.until([&] { return !bench.recorder.ends.empty(); });
  bench.turn();
  CHECK(has_end(bench.recorder, How::close_notify));
}

TEST_CASE("a reset after close_notify is reported, bytes are not") {
  TlsBench bench;
  bench.server->send_close_notify();
  bench.flush();
  bench.until([&] { return bench.recorder.ends.size() == 1; });
  bench.peer.say("this is not a record");
  bench.turn();
  bench.peer.reset();
  bench.until([&] { return bench.recorder.ends.size() == 2; });
  CHECK(bench.recorder.ends.back().how == How::reset);
  CHECK(bench.recorder.plaintext.empty());
}

TEST_CASE("a bare FIN under TLS is no close_notify") {
  TlsBench bench;
  bench.server->send("half of it");
  bench.flush();
  bench.peer.finish();
  bench.until([&] { return !bench.recorder.ends.empty(); });
  CHECK(has_end(bench.recorder, How::fin));
  CHECK(bench.recorder.plaintext == "half of it");
}

TEST_CASE("closing a TLS channel sends close_notify and no FIN; a bare end may then follow") {
  TlsBench bench;
  CHECK_FALSE(bench.channel.is_bare_end_expected());
  CHECK(bench.channel.close() == Channel::Written::done);
  bench.until([&] {
    bench.server->receive(bench.peer.hear().text);
    return bench.server->has_seen_close_notify();
  });
  CHECK(bench.peer.hear().error == -EAGAIN);
  CHECK(bench.channel.close() == Channel::Written::done);  // only once
  bench.turn();
  CHECK(bench.peer.hear().error == -EAGAIN);
  CHECK(bench.channel.is_bare_end_expected());
  bench.server->send("not quite");
  bench.flush();
  bench.until([&] { return !bench.recorder.plaintext.empty(); });
  CHECK_FALSE(bench.channel.is_bare_end_expected());
}

TEST_CASE("a fatal alert is a failure, with its sentence") {
  TlsBench bench;
  bench.server->send_alert(GNUTLS_AL_FATAL, GNUTLS_A_INTERNAL_ERROR);
  bench.flush();
  bench.until([&] { return !bench.recorder.ends.empty(); });
  CHECK(has_end(bench.recorder, How::failed));
  CHECK(bench.channel.failure().kind == Kind::tls_alert);
}

TEST_CASE("what the session holds from the handshake is delivered") {
  Established both;
  both.server->send("early");
  const std::string records = both.server->take_output();
  both.session->feed(as_bytes(records));
  ChannelBench bench(Pair::tcp(), std::move(both.session));
  bench.channel.open_held();
  CHECK(bench.recorder.plaintext == "early");
}

TEST_CASE(
    "a channel that is released, or ignored, while it delivers bytes does not report the end") {
  for (const bool is_released : {false, true}) {
    TlsBench bench;
    bench.recorder.on_any = [&] {
      if (is_released) return bench.channel.release();
      bench.channel.ignore_input();
    };
    bench.server->send("bytes");
    bench.server->send_close_notify();
    bench.flush();
    bench.until([&] { return !bench.recorder.plaintext.empty(); });
    bench.turn();
    CHECK(bench.recorder.plaintext == "bytes");
    CHECK(bench.recorder.ends.empty());
    std::string text = "still going out";
    CHECK(bench.channel.write(as_mutable_bytes(text)) == Channel::Written::done);
  }
}

TEST_CASE("a key update asked for by the peer is answered although nothing is to be written") {
  TlsBench bench;
  bench.server->update_key(true);
  bench.server->send("after it");
  bench.flush();
  bench.until([&] { return bench.recorder.plaintext == "after it"; });
  std::string answer = "under new keys";
  CHECK(bench.channel.write(as_mutable_bytes(answer)) == Channel::Written::done);
  bench.until([&] {
    bench.server->receive(bench.peer.hear().text);
    return bench.server->received() == answer;
  });
}

}  // namespace tunnel::channel_test
