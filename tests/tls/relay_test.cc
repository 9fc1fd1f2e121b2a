// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <string>

#include "fixture.h"
#include "tls/session_impl.h"

namespace tunnel::tls::relay_test {

using namespace tunnel::test;
using namespace tunnel::tls::test;

namespace {

constexpr const char* kVersions[] = {
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-CBC:-MAC-ALL:+SHA384",
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+CHACHA20-POLY1305",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305",
};

// Text without a period that a lost or doubled record could hide behind.
std::string pattern(std::size_t size) {
  std::string text;
  text.reserve(size + 16);
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i * i) + ',';
  text.resize(size);
  return text;
}

void connect(Fixture& f, const Splitter& split = whole()) {
  f.connect(split);
  REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
}

}  // namespace

TEST_CASE("a megabyte passes both ways at once, whatever the cipher") {
  const auto up = pattern(1 << 20);
  const auto down = pattern((1 << 20) + 77);
  for (const char* priority : kVersions) {
    CAPTURE(priority);
    Fixture f;
    f.options.priority = priority;
    connect(f);
    f.client().send(up);
    f.server().send(down);
    f.exchange();
    CHECK(f.server().received() == up);
    CHECK(f.client().received() == down);
    CHECK(f.client().session().has_received_data());
  }
}

TEST_CASE("sealed_size is enough for every amount, and not wasteful") {
  for (const char* priority : kVersions) {
    CAPTURE(priority);
    Fixture f;
    f.options.priority = priority;
    connect(f);
    for (std::size_t size : std::initializer_list<std::size_t>{0, 1, 2, 511, 512, 513, 16383, 16384,
                                                               16385, 65536, 262144}) {
      f.client().send(pattern(size));
      REQUIRE_MESSAGE(!f.client().has_failed(), f.failure().text);
      CHECK(f.client().take_output().size() <= Session::sealed_size(size));
    }
    CHECK(Session::sealed_size(262144) < 2 * 262144);
  }
}

TEST_CASE("a server may ask for small records") {
  Fixture f;
  connect(f);
  // The client's own limit stands in for RFC 8449's extension, which a GnuTLS server never shrinks.
  const auto down = pattern(100'000);
  REQUIRE(gnutls_record_set_max_size(f.server().raw(), 512) == 0);
  f.server().send(down);
  f.exchange();
  CHECK(f.client().received() == down);
}

TEST_CASE("records of every size arrive whole through windows of every size") {
  for (std::size_t window : std::initializer_list<std::size_t>{1, 2, 100, 16384, 40000}) {
    CAPTURE(window);
    Fixture f;
    connect(f);
    f.client().set_window(window);
    std::string expected;
    for (std::size_t size :
         std::initializer_list<std::size_t>{1, 2, 3, 255, 256, 4096, 16383, 16384, 20000}) {
      const auto text = pattern(size);
      f.server().send(text);
      expected += text;
    }
    tls::test::exchange(f.client(), f.server(), random_pieces(static_cast<unsigned>(window), 5000));
    CHECK(f.client().received() == expected);
  }
}

TEST_CASE("one byte at a time") {
  for (const char* priority : kVersions) {
    CAPTURE(priority);
    Fixture f;
    f.options.priority = priority;
    connect(f, byte_by_byte());
    f.client().send(pattern(3000));
    f.server().send(pattern(3000));
    tls::test::exchange(f.client(), f.server(), byte_by_byte());
    CHECK(f.server().received() == pattern(3000));
    CHECK(f.client().received() == pattern(3000));
  }
}

TEST_CASE("empty records are swallowed") {
  for (const char* priority : kVersions) {
    if (std::string_view(priority).find("CBC") != std::string_view::npos) continue;
    CAPTURE(priority);
    Fixture f;
    f.options.priority = priority;
    connect(f);
    for (int i = 0; i < 100; ++i) f.server().send_record(23, "");
    f.server().send("da");
    f.server().send_record(23, "");
    f.server().send_record(23, "ta");
    f.exchange();
    CHECK_MESSAGE(!f.client().has_failed(), f.failure().text);
    CHECK_FALSE(f.client().is_closed());
    CHECK(f.client().received() == "data");
  }
}

TEST_CASE("a record of a type that TLS does not have breaks the session") {
  Fixture f;
  connect(f);
  f.server().send("good");
  f.server().send_record(99, "odd");
  f.exchange();
  CHECK(f.client().received() == "good");
  REQUIRE(f.client().has_failed());
  CHECK(f.failure().kind == Kind::tls_failed);
  CHECK(f.server().alert_received() == GNUTLS_A_UNEXPECTED_MESSAGE);
}

TEST_CASE("tickets during and long after the handshake are swallowed") {
  Fixture f;
  f.options.sends_tickets = true;
  f.options.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3";
  connect(f, random_pieces(1, 200));
  CHECK(f.client().received().empty());
  f.server().send("a");
  f.server().send_ticket();
  f.server().send_ticket();
  f.server().send("b");
  f.exchange();
  CHECK(f.client().received() == "ab");
  CHECK_FALSE(f.client().has_failed());
}

TEST_CASE("keys are updated in both directions") {
  Fixture f;
  f.options.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3";
  connect(f);
  SUBCASE("the server's") { f.server().update_key(false); }
  SUBCASE("the server's, which asks for ours") { f.server().update_key(true); }
  SUBCASE("the server's twice, with data before and after") {
    f.server().send("x");
    f.server().update_key(true);
    f.server().send("y");
    f.server().update_key(true);
  }
  f.server().send("down");
  f.exchange();
  f.client().send(pattern(50'000));
  f.exchange();
  f.client().send("up");
  f.server().send("!");
  f.exchange();
  CHECK(f.client().received().ends_with("down!"));
  CHECK(f.server().received() == pattern(50'000) + "up");
  CHECK(f.server().error() == 0);
}

TEST_CASE("our own key is updated after 2^24 records") {
  Fixture f;
  f.options.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3";
  connect(f);
  // As if this many records had passed already.
  const unsigned char sequence[8] = {0, 0, 0, 0, 0, 0xff, 0xff, 0xf0};
  REQUIRE(gnutls_record_set_state(f.client().session().impl().session.get(), 0, sequence) == 0);
  REQUIRE(gnutls_record_set_state(f.server().raw(), 1, sequence) == 0);
  for (int i = 0; i < 40; ++i) f.client().send("record,");
  f.exchange();
  CHECK(f.server().received().size() == 40 * 7);
  CHECK(f.server().error() == 0);
  unsigned char after[8] = {};
  REQUIRE(gnutls_record_get_state(f.server().raw(), 1, nullptr, nullptr, nullptr, after) == 0);
  CHECK(static_cast<int>(after[5]) == 0);  // counted from zero since the update
}

TEST_CASE("the client may end first and still listen") {
  for (const char* priority : kVersions) {
    CAPTURE(priority);
    Fixture f;
    f.options.priority = priority;
    connect(f);
    f.client().send("last words");
    f.client().close();
    f.exchange();
    CHECK(f.server().received() == "last words");
    CHECK(f.server().has_seen_close_notify());
    f.server().send(pattern(40'000));
    f.server().send_close_notify();
    f.exchange();
    CHECK(f.client().received() == pattern(40'000));
    CHECK(f.client().is_closed());
  }
}

TEST_CASE("the server may end first and still listen") {
  for (const char* priority : kVersions) {
    CAPTURE(priority);
    Fixture f;
    f.options.priority = priority;
    connect(f);
    f.server().send("last words");
    f.server().send_close_notify();
    f.exchange();
    CHECK(f.client().received() == "last words");
    CHECK(f.client().is_closed());
    f.client().send(pattern(40'000));
    f.client().close();
    f.exchange();
    CHECK(f.server().received() == pattern(40'000));
    CHECK(f.server().has_seen_close_notify());
  }
}

TEST_CASE("what came before the end in one piece is delivered before it") {
  Fixture f;
  connect(f);
  auto& session = f.client().session();
  f.server().send("all of it");
  SUBCASE("close_notify") { f.server().send_close_notify(); }
  SUBCASE("a fatal alert") { f.server().send_alert(GNUTLS_AL_FATAL, GNUTLS_A_INTERNAL_ERROR); }
  const auto fed = f.server().take_output();
  std::byte room[1024], into[1024];
  OutBuffer out(room);
  session.feed(as_bytes(fed));
  auto opened = session.open(into, out);
  CHECK(opened.io == Io::done);
  CHECK(as_text(Bytes(into).first(opened.size)) == "all of it");
  opened = session.open(into, out);
  CHECK(opened.size == 0);
  CHECK((opened.io == Io::closed || opened.io == Io::failed));
  CHECK(session.open(into, out).io == opened.io);  // and stays so
}

TEST_CASE("the end of the transport") {
  Fixture f;
  connect(f);
  auto& session = f.client().session();
  SUBCASE("without close_notify is a truncation") {
    const auto failure = session.transport_ended(Session::End::eof);
    CHECK(failure.kind == Kind::truncated);
    CHECK(failure.text ==
          "dc1.example.com:636 closed the connection without TLS's close_notify; what it sent may "
          "have been cut off");
  }
  SUBCASE("by a reset is a reset") {
    CHECK(session.transport_ended(Session::End::reset).kind == Kind::reset_by_server);
  }
  SUBCASE("after close_notify is no failure") {
    f.server().send_close_notify();
    f.exchange();
    CHECK(session.transport_ended(Session::End::eof).kind == Kind::ok);
    CHECK(session.transport_ended(Session::End::reset).kind == Kind::ok);
  }
  SUBCASE("in the middle of a record is a truncation") {
    f.server().send(pattern(5000));
    const auto record = f.server().take_output();
    f.client().receive(record.substr(0, record.size() / 2));
    CHECK(f.client().received().empty());
    CHECK(session.transport_ended(Session::End::eof).kind == Kind::truncated);
  }
}

TEST_CASE("a TLS 1.2 HelloRequest is ignored, and the session goes on") {
  for (const char* priority : {"NORMAL:-VERS-ALL:+VERS-TLS1.2",
                               "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+CHACHA20-POLY1305",
                               "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-CBC:-MAC-ALL:"
                               "+SHA384"}) {
    CAPTURE(priority);
    Fixture f;
    f.options.priority = priority;
    connect(f);
    CHECK(f.client().session().remark().empty());
    for (int i = 0; i < 1000; ++i) f.server().ask_for_renegotiation();
    f.exchange();
    CHECK(f.server().alert_received() == -1);
    CHECK(f.client().session().remark() ==
          "dc1.example.com:636 asked for a TLS 1.2 renegotiation, which is never done: if it wants "
          "a client certificate, it has to ask for it in the handshake");
    f.server().send("on");
    f.client().send("and on");
    f.exchange();
    CHECK(f.client().received() == "on");
    CHECK(f.server().received() == "and on");
  }
}

TEST_CASE("a changed byte breaks the session with a sentence") {
  for (const char* priority : kVersions) {
    CAPTURE(priority);
    Fixture f;
    f.options.priority = priority;
    connect(f);
    f.server().send("genuine");
    auto record = f.server().take_output();
    record[record.size() / 2] = static_cast<char>(record[record.size() / 2] ^ 1);
    f.client().receive(record);
    REQUIRE(f.client().has_failed());
    CHECK(f.client().received().empty());
    CHECK(f.failure().kind == Kind::tls_failed);
    CHECK(f.failure().text == Contains("TLS session with dc1.example.com:636 broke: "));
    f.server().receive(f.client().take_output());
    CHECK(f.server().alert_received() == GNUTLS_A_BAD_RECORD_MAC);
  }
}

TEST_CASE("an output buffer that is too small fails the session, clearly") {
  Fixture f;
  connect(f);
  std::byte room[64];
  OutBuffer out(room);
  auto text = pattern(1000);
  CHECK(f.client().session().seal(as_mutable_bytes(text), out) == Io::failed);
  CHECK(f.failure().kind == Kind::tls_failed);
  CHECK(f.failure().text == Contains("more than its output buffer holds"));
}

}  // namespace tunnel::tls::relay_test
