// SPDX-License-Identifier: MIT
// What a server may send after the handshake, and what it must not: the server of these tests seals
// whatever it is told.
#include "tls/record_gate.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fixture.h"
#include "tls/session_impl.h"

namespace tunnel::tls::record_gate_test {

using namespace tunnel::test;
using namespace tunnel::tls::test;

namespace {

constexpr const char* kTls13[] = {
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-CCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-CCM-8",
};
constexpr const char* kTls12[] = {
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-GCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+CHACHA20-POLY1305",
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CCM",
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-CCM-8",
};
constexpr const char* kTls12Cbc =
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-CBC:-MAC-ALL:+SHA1";

constexpr unsigned char kAlert = 21, kHandshake = 22, kData = 23;
constexpr char kWarning = 1, kFatal = 2;
constexpr char kUserCanceled = 90;

void connect(Fixture& f, const char* priority) {
  f.tls.priority = std::string(priority) + ":%PROFILE_MEDIUM";
  f.options.priority = priority;
  f.connect();
  REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
}

std::string alert(char level, unsigned number) { return {level, static_cast<char>(number)}; }

std::string message(char type, std::size_t length, std::string_view body) {
  return std::string{type, static_cast<char>(length >> 16), static_cast<char>(length >> 8),
                     static_cast<char>(length)} +
         std::string(body);
}
std::string key_update(char request) { return message(24, 1, {&request, 1}); }

using Say = std::function<void(TestServer&)>;

// Runs `then` for each suite, with what the server says in one piece and byte by byte.
template <std::size_t n>
void each(const char* const (&priorities)[n], const Say& say,
          const std::function<void(Fixture&)>& then) {
  for (const char* priority : priorities) {
    for (const bool bytewise : {false, true}) {
      CAPTURE(priority);
      CAPTURE(bytewise);
      Fixture f;
      connect(f, priority);
      say(f.server());
      tls::test::exchange(f.client(), f.server(), bytewise ? byte_by_byte() : whole());
      then(f);
    }
  }
}

// Everything of it is refused with the alert, after the data before it was delivered.
template <std::size_t n>
void each_refuses(const char* const (&priorities)[n], const Say& say, int alert,
                  const std::string& part) {
  each(
      priorities,
      [&](TestServer& server) {
        server.send("before");
        say(server);
        server.send_record(kData, "after");
      },
      [&](Fixture& f) {
        CHECK(f.client().received() == "before");
        REQUIRE(f.client().has_failed());
        CHECK(f.failure().kind == Kind::tls_failed);
        CHECK(f.failure().text == Contains(part));
        CHECK(f.server().alert_received() == alert);
      });
}

constexpr const char* kDoesNotKeepTo =
    "; it, or something on the way to it, does not keep to the protocol";

}  // namespace

TEST_CASE("an empty fragment inside an unfinished handshake message ends the session at once") {
  each_refuses(
      kTls13,
      [](TestServer& server) {
        server.send_record(kHandshake, message(4, 100, "unfinished"));
        server.send_record(kHandshake, "");
      },
      GNUTLS_A_UNEXPECTED_MESSAGE,
      std::string(
          "TLS session with dc1.example.com:636 broke: the server sent an empty fragment of "
          "a handshake message") +
          kDoesNotKeepTo);
}

TEST_CASE("an empty handshake record is refused wherever it comes") {
  const auto empty = [](TestServer& server) { server.send_record(kHandshake, ""); };
  each_refuses(kTls13, empty, GNUTLS_A_UNEXPECTED_MESSAGE, "an empty fragment");
  each_refuses(kTls12, empty, GNUTLS_A_UNEXPECTED_MESSAGE, "an empty fragment");
  each_refuses(
      kTls13,
      [](TestServer& server) {
        server.send_record(kHandshake, "\4");
        server.send_record(kHandshake, "", 100);
      },
      GNUTLS_A_UNEXPECTED_MESSAGE, "an empty fragment");
}

TEST_CASE("empty fragments under the keys of the handshake do not stop it forever, either") {
  for (const std::string& begun : {std::string(), message(8, 16, ""), message(8, 16, "\1\2\3")}) {
    Fixture f;
    f.options.priority = kTls13[0];
    f.load();
    TestServer server(f.options);
    Client client(f.context(), f.peer);
    client.start();
    server.receive(client.take_output());
    // ServerHello, without what follows it.
    const auto flight = server.take_output();
    REQUIRE(flight.size() > 5);
    const auto size = static_cast<std::size_t>(static_cast<unsigned char>(flight[3])) << 8 |
                      static_cast<unsigned char>(flight[4]);
    client.receive(flight.substr(0, 5 + size));
    REQUIRE_MESSAGE(!client.has_failed(), client.failure().text);
    if (!begun.empty()) client.receive(server.handshake_record(kHandshake, begun));
    REQUIRE_MESSAGE(!client.has_failed(), client.failure().text);
    client.receive(server.handshake_record(kHandshake, ""));
    REQUIRE(client.has_failed());
    CHECK(client.failure().kind == Kind::tls_failed);
  }
}

TEST_CASE("user_canceled is ignored, and close_notify behind it is an orderly end") {
  const auto check = [](Fixture& f) {
    CHECK_MESSAGE(!f.client().has_failed(), f.failure().text);
    CHECK(f.client().is_closed());
    CHECK(f.client().received() == "before, after");
    f.client().send("still listening?");
    f.client().close();
    f.exchange();
    CHECK(f.server().received() == "still listening?");
    CHECK(f.server().alert_received() == -1);
  };
  const auto say = [](char level) {
    return [level](TestServer& server) {
      server.send("before, ");
      server.send_record(kAlert, alert(level, kUserCanceled));
      server.send("after");
      server.send_record(kAlert, alert(level, kUserCanceled));
      server.send_record(kAlert, alert(kWarning, 0));
    };
  };
  each(kTls13, say(kWarning), check);
  each(kTls13, say(kFatal), check);  // the level means nothing in TLS 1.3
  each(kTls12, say(kWarning), check);
}

TEST_CASE("user_canceled without end is refused") {
  const auto many = [](TestServer& server) {
    for (int i = 0; i < 17; ++i) server.send_record(kAlert, alert(kWarning, kUserCanceled));
  };
  each_refuses(kTls13, many, GNUTLS_A_UNEXPECTED_MESSAGE, "warning alerts without end");
  each_refuses(kTls12, many, GNUTLS_A_UNEXPECTED_MESSAGE, "warning alerts without end");
}

TEST_CASE("warnings that data comes between may be many") {
  each(
      kTls13,
      [](TestServer& server) {
        for (int i = 0; i < 100; ++i) {
          server.send_record(kAlert, alert(kWarning, kUserCanceled));
          server.send("x");
        }
      },
      [](Fixture& f) { CHECK(f.client().received() == std::string(100, 'x')); });
}

TEST_CASE("an alert of any number is told by it") {
  for (const unsigned number : {1U, 5U, 127U, 128U, 200U, 255U}) {
    CAPTURE(number);
    const auto say = [number](TestServer& server) {
      server.send("before");
      server.send_record(kAlert, alert(kFatal, number));
    };
    const auto check = [number](Fixture& f) {
      CHECK(f.client().received() == "before");
      REQUIRE(f.client().has_failed());
      CHECK(f.failure().kind == Kind::tls_alert);
      CHECK(f.failure().text ==
            Contains("ended the session with the alert number " + std::to_string(number) + ": "));
      CHECK(f.client().take_output().empty());
    };
    each(kTls13, say, check);
    each(kTls12, say, check);
  }
}

TEST_CASE("an alert of any number through GnuTLS's record layer and in the handshake") {
  SUBCASE("CBC") {
    Fixture f;
    connect(f, kTls12Cbc);
    f.server().send_alert(GNUTLS_AL_FATAL, static_cast<gnutls_alert_description_t>(127));
    f.exchange();
    REQUIRE(f.client().has_failed());
    CHECK(f.failure().text == Contains("the alert number 127"));
  }
  SUBCASE("in the handshake") {
    Fixture f;
    f.load();
    Client client(f.context(), f.peer);
    client.start();
    client.receive(std::string("\x15\x03\x03\x00\x02\x02\xc8", 7));
    REQUIRE(client.has_failed());
    CHECK(client.failure().kind == Kind::tls_alert);
    CHECK(client.failure().text == Contains("refused the handshake with the alert number 200"));
  }
}

TEST_CASE("an alert that is cut short is refused") {
  const auto say = [](TestServer& server) { server.send_record(kAlert, "\1"); };
  each_refuses(kTls13, say, GNUTLS_A_DECODE_ERROR, "an alert of less than two bytes");
  each_refuses(kTls12, say, GNUTLS_A_DECODE_ERROR, "an alert of less than two bytes");
}

TEST_CASE("a plaintext of more than 16384 bytes is an overflow, padding included") {
  const std::string most(16384, 'm');
  const auto too_long = [&](TestServer& server) { server.send_record(kData, most + '+'); };
  each_refuses(kTls13, too_long, GNUTLS_A_RECORD_OVERFLOW, "a record of more than 16384 bytes");
  each_refuses(kTls12, too_long, GNUTLS_A_RECORD_OVERFLOW, "a record of more than 16384 bytes");
  each_refuses(
      kTls13, [](TestServer& server) { server.send_record(kData, "short", 16380); },
      GNUTLS_A_RECORD_OVERFLOW, "a record of more than 16384 bytes");
  each_refuses(
      kTls13, [](TestServer& server) { server.send_record(0, std::string(16385, '\0')); },
      GNUTLS_A_RECORD_OVERFLOW, "a record of more than 16384 bytes");
  each_refuses(
      kTls13, [](TestServer& server) { server.send_record(kAlert, alert(kWarning, 0), 16383); },
      GNUTLS_A_RECORD_OVERFLOW, "a record of more than 16384 bytes");
  Fixture f;
  connect(f, kTls13[0]);
  f.server().send_record(kData, most);
  f.server().send_record(kData, "padded", 16378);
  f.server().send_record(kData, "", 16384);
  f.exchange();
  CHECK(f.client().received() == most + "padded");
}

TEST_CASE("records that do not belong to the session") {
  struct Case {
    std::string record;
    int alert;
    const char* part;
  };
  const std::string body(40, 'x');
  const Case cases[] = {
      {std::string("\x14\x03\x03\x00\x01\x01", 6), GNUTLS_A_UNEXPECTED_MESSAGE, "of a type"},
      {std::string("\x15\x03\x03\x00\x02\x01\x00", 7), GNUTLS_A_UNEXPECTED_MESSAGE, "of a type"},
      {std::string("\x16\x03\x03\x00\x28", 5) + body, GNUTLS_A_UNEXPECTED_MESSAGE, "of a type"},
      {std::string("\x18\x03\x03\x00\x28", 5) + body, GNUTLS_A_UNEXPECTED_MESSAGE, "of a type"},
      {std::string("\x17\x03\x01\x00\x28", 5) + body, GNUTLS_A_PROTOCOL_VERSION, "TLS version"},
      {std::string("\x17\x03\x03\x41\x01", 5) + body, GNUTLS_A_RECORD_OVERFLOW, "more than 16384"},
      {std::string("\x17\x03\x03\x00\x28", 5) + body, GNUTLS_A_BAD_RECORD_MAC, "broke: "},
      {std::string("\x17\x03\x03\x00\x00", 5), GNUTLS_A_BAD_RECORD_MAC, "broke: "},
      {std::string("\x17\x03\x03\x00\x03xyz", 8), GNUTLS_A_BAD_RECORD_MAC, "broke: "},
  };
  for (const auto& c : cases) {
    for (const char* priority : kTls13) {
      CAPTURE(priority);
      CAPTURE(c.part);
      Fixture f;
      connect(f, priority);
      f.server().send("before");
      f.client().receive(f.server().take_output() + c.record);
      CHECK(f.client().received() == "before");
      REQUIRE(f.client().has_failed());
      CHECK(f.failure().kind == Kind::tls_failed);
      CHECK(f.failure().text == Contains(c.part));
      f.exchange();
      CHECK(f.server().alert_received() == c.alert);
    }
  }
}

TEST_CASE("in TLS 1.3 a record of nothing but padding has no type") {
  each_refuses(
      kTls13, [](TestServer& server) { server.send_record(0, std::string(20, '\0')); },
      GNUTLS_A_UNEXPECTED_MESSAGE, "of a type that has no place");
}

TEST_CASE("a handshake message is bounded, whatever it claims or grows to") {
  each_refuses(
      kTls13,
      [](TestServer& server) { server.send_record(kHandshake, message(4, 128 * 1024 + 1, "")); },
      GNUTLS_A_ILLEGAL_PARAMETER, "a handshake message of more than 128 KiB");
  each_refuses(
      kTls13,
      [](TestServer& server) { server.send_record(kHandshake, message(4, 0xffffff, "begun")); },
      GNUTLS_A_ILLEGAL_PARAMETER, "a handshake message of more than 128 KiB");
}

TEST_CASE("data in the middle of a handshake message is refused in TLS 1.3") {
  each_refuses(
      kTls13,
      [](TestServer& server) { server.send_record(kHandshake, message(4, 100, "unfinished")); },
      GNUTLS_A_UNEXPECTED_MESSAGE, "data in the middle of a handshake message");
}

TEST_CASE("handshake messages that a client has no use for") {
  each_refuses(
      kTls13, [](TestServer& server) { server.send_record(kHandshake, message(13, 3, "\0\0\0")); },
      GNUTLS_A_UNEXPECTED_MESSAGE, "a request for a client certificate after the handshake");
  for (const char type : {char{0}, char{1}, char{2}, char{11}, char{20}, char{99}}) {
    each_refuses(
        kTls13, [&](TestServer& server) { server.send_record(kHandshake, message(type, 0, "")); },
        GNUTLS_A_UNEXPECTED_MESSAGE, "a handshake message that has no place after the handshake");
  }
  each_refuses(
      kTls13, [](TestServer& server) { server.send_record(kHandshake, message(4, 7, "rubbish")); },
      GNUTLS_A_DECODE_ERROR, "a session ticket that makes no sense");
}

TEST_CASE("a KeyUpdate has its form, and ends its record") {
  each_refuses(
      kTls13, [](TestServer& server) { server.send_record(kHandshake, key_update(2)); },
      GNUTLS_A_ILLEGAL_PARAMETER, "a KeyUpdate of an unknown kind");
  each_refuses(
      kTls13, [](TestServer& server) { server.send_record(kHandshake, message(24, 2, "")); },
      GNUTLS_A_DECODE_ERROR, "a KeyUpdate of a wrong length");
  each_refuses(
      kTls13,
      [](TestServer& server) { server.send_record(kHandshake, key_update(0) + key_update(0)); },
      GNUTLS_A_UNEXPECTED_MESSAGE, "a handshake message behind a KeyUpdate");
}

TEST_CASE("a server may update its keys as often as it likes, and ask for ours") {
  for (const char* priority : kTls13) {
    CAPTURE(priority);
    Fixture f;
    connect(f, priority);
    for (int i = 0; i < 50; ++i) {
      f.server().update_key(false);
      f.server().send("x");
    }
    for (int i = 0; i < 50; ++i) f.server().update_key(false);
    f.server().update_key(true);
    f.server().send("!");
    f.exchange();
    CHECK_MESSAGE(!f.client().has_failed(), f.failure().text);
    CHECK(f.client().received() == std::string(50, 'x') + '!');
    CHECK(f.client().take_output().empty());  // it is answered when there is something to send
    f.client().send("up");
    f.client().send("and on");
    f.exchange();
    f.server().send("down");
    f.exchange();
    CHECK(f.server().received() == "upand on");
    CHECK(f.client().received().ends_with("!down"));
    CHECK(f.server().error() == 0);
  }
}

TEST_CASE("keys without end are refused") {
  Fixture f;
  connect(f, kTls13[0]);
  for (int i = 0; i < 128 * 1024 / 5 + 1 && !f.client().has_failed(); ++i) {
    f.server().update_key(false);
    f.client().receive(f.server().take_output());
  }
  REQUIRE(f.client().has_failed());
  CHECK(f.failure().text == Contains("handshake messages without end"));
}

TEST_CASE("a message in the smallest pieces and two messages in one record") {
  // The ticket that GnuTLS makes, taken apart.
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
    CAPTURE(piece);
    Fixture f;
    f.options.sends_tickets = true;
    f.remembers = true;
    f.options.ticket_key = std::string(64, 'k');
    f.tls.priority = std::string(kTls13[0]) + ":%PROFILE_MEDIUM";
    f.options.priority = kTls13[0];
    f.connect();
    REQUIRE(f.client().is_established());
    f.server().send_ticket();
    const auto record = f.server().take_output();
    auto& session = f.client().session().impl();
    auto keys = RecordKeys::of(session.session.get(), RecordKeys::Direction::read);
    REQUIRE(keys);
    unsigned char sequence[8] = {};
    REQUIRE(gnutls_record_get_state(f.server().raw(), 0, nullptr, nullptr, nullptr, sequence) == 0);
    keys->sequence = sequence[7] - 1U;
    RecordCipher cipher(*keys, session.context.aead);
    std::vector<std::byte> into(record.size());
    const auto content = cipher.open(as_bytes(record), into);
    REQUIRE(content);
    const std::string ticket(as_text(Bytes(into).first(content->size)));
    // What was just opened has not been sent: its number is free again.
    sequence[7] = static_cast<unsigned char>(sequence[7] - 1);
    REQUIRE(gnutls_record_set_state(f.server().raw(), 0, sequence) == 0);
    const std::string twice = ticket + ticket;
    for (std::size_t at = 0; at < twice.size(); at += piece) {
      f.server().send_record(kHandshake, std::string_view(twice).substr(at, piece));
    }
    f.server().send("on");
    f.exchange();
    CHECK_MESSAGE(!f.client().has_failed(), f.failure().text);
    CHECK(f.client().received() == "on");
    f.connect_again();
    CHECK(f.client().session().negotiated().resumed);
  }
}

TEST_CASE("tickets without end cost nothing, and the session goes on") {
  Fixture f;
  f.options.sends_tickets = true;
  f.remembers = true;
  connect(f, kTls13[0]);
  for (int i = 0; i < 500; ++i) f.server().send_ticket();
  f.server().send("on");
  f.exchange();
  CHECK(f.client().received() == "on");
}

TEST_CASE("a HelloRequest in pieces, between data, and too many of them") {
  const std::string request(4, '\0');
  each(
      kTls12,
      [&](TestServer& server) {
        server.send_record(kHandshake, request.substr(0, 1));
        server.send("a");
        server.send_record(kHandshake, request.substr(1));
        server.send_record(kHandshake, request + request);
        server.send("b");
      },
      [](Fixture& f) {
        CHECK_MESSAGE(!f.client().has_failed(), f.failure().text);
        CHECK(f.client().received() == "ab");
        CHECK(f.client().take_output().empty());
        CHECK(f.client().session().remark() == Contains("asked for a TLS 1.2 renegotiation"));
      });
  Fixture f;
  connect(f, kTls12[0]);
  const std::string many(16384, '\0');
  for (int i = 0; i < 8; ++i) f.server().send_record(kHandshake, many);
  f.server().send("on");
  f.exchange();
  CHECK(f.client().received() == "on");
  for (int i = 0; i < 9; ++i) f.server().send_record(kHandshake, many);
  f.exchange();
  REQUIRE(f.client().has_failed());
  CHECK(f.failure().text == Contains("handshake messages without end"));
}

TEST_CASE("a renegotiation that the server begins is called by its name") {
  const auto check = [](Fixture& f) {
    REQUIRE(f.client().has_failed());
    CHECK(f.failure().kind == Kind::tls_failed);
    CHECK(f.failure().text ==
          "TLS session with dc1.example.com:636 broke: the server began a TLS 1.2 renegotiation in "
          "mid-connection, which is never done: if it wants a client certificate, it has to ask "
          "for it in the handshake");
    CHECK(f.server().alert_received() == GNUTLS_A_UNEXPECTED_MESSAGE);
  };
  each(
      kTls12, [](TestServer& server) { server.send_record(kHandshake, message(2, 70, "hello")); },
      check);
}

TEST_CASE("an end after a HelloRequest that was ignored is explained") {
  for (const char* priority : {kTls12[0], kTls12Cbc}) {
    CAPTURE(priority);
    Fixture f;
    connect(f, priority);
    f.server().ask_for_renegotiation();
    SUBCASE("an alert") {
      f.server().send_alert(GNUTLS_AL_FATAL, GNUTLS_A_HANDSHAKE_FAILURE);
      f.exchange();
      REQUIRE(f.client().has_failed());
      CHECK(f.failure().kind == Kind::tls_alert);
      CHECK(f.failure().text ==
            "dc1.example.com:636 ended the session with the alert handshake_failure (40), after it "
            "had asked for a TLS 1.2 renegotiation, which is never done: if it wants a client "
            "certificate, it has to ask for it in the handshake");
    }
    SUBCASE("a bare end") {
      f.exchange();
      const auto failure = f.client().session().transport_ended(Session::End::eof);
      CHECK(failure.kind == Kind::truncated);
      CHECK(failure.text == Contains("; before, it asked for a TLS 1.2 renegotiation"));
    }
  }
}

TEST_CASE("a TLS 1.3 session that is resumed without fresh keys is refused") {
  Fixture f;
  f.options.sends_tickets = true;
  f.options.ticket_key = std::string(64, 'k');
  f.remembers = true;
  connect(f, kTls13[0]);
  REQUIRE(f.client().has_failed() == false);
  // GnuTLS offers both kinds; this server takes the one without.
  f.options.priority = std::string(kTls13[0]) + ":+PSK:%SERVER_PRECEDENCE";
  f.connect_again();
  REQUIRE(f.client().has_failed());
  CHECK(f.failure().kind == Kind::tls_failed);
  CHECK(f.failure().text ==
        "dc1.example.com:636 resumed a TLS 1.3 session without fresh keys (psk_ke), which is not "
        "accepted: let it use psk_dhe_ke, or set tls.resumption = false");
  CHECK(f.server().alert_received() == GNUTLS_A_HANDSHAKE_FAILURE);
}

TEST_CASE("a gate at rest holds no buffer, and small windows lose nothing") {
  for (const std::size_t window : std::initializer_list<std::size_t>{1, 5, 16384}) {
    for (const char* priority : {kTls13[0], kTls12[2]}) {
      CAPTURE(window);
      CAPTURE(priority);
      Fixture f;
      connect(f, priority);
      f.client().set_window(window);
      f.server().send(std::string(16384, 'a') + "b");
      f.server().send_record(kData, "");
      f.server().send_record(kAlert, alert(kWarning, kUserCanceled));
      f.server().send("c");
      f.server().send_close_notify();
      tls::test::exchange(f.client(), f.server(), random_pieces(7, 3000));
      CHECK(f.client().received() == std::string(16384, 'a') + "bc");
      CHECK(f.client().is_closed());
    }
  }
}

}  // namespace tunnel::tls::record_gate_test
