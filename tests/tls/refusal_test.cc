// SPDX-License-Identifier: MIT
// What a server may do in the place of a handshake.
#include <doctest/doctest.h>

#include "fixture.h"

namespace tunnel::tls::refusal_test {

using namespace tunnel::test;
using namespace tunnel::tls::test;
using namespace tunnel::x509;

namespace {

// A fatal alert in plaintext, as a server sends it before keys are there.
std::string alert_record(unsigned char alert) {
  return std::string("\x15\x03\x03\x00\x02\x02", 6) + static_cast<char>(alert);
}

// Somebody at the other end who says what a test wants.
struct Stranger {
  explicit Stranger(std::string target = "dc1.example.com:636") {
    f.load();
    client = std::make_unique<Client>(f.context(),
                                      Peer{.target = std::move(target), .names = {"x"}, .sni = ""});
    client->start();
    REQUIRE_FALSE(client->take_output().empty());
  }
  Kind says(std::string_view bytes) {
    client->receive(bytes);
    return client->failure().kind;
  }
  [[nodiscard]] const std::string& text() const { return client->failure().text; }

  Fixture f;
  std::unique_ptr<Client> client;
};

}  // namespace

TEST_CASE("a plaintext greeting is recognised, quoted, and explained") {
  Stranger stranger("mail.example.com:25");
  CHECK(stranger.says("220 mail.example.com ESMTP Postfix\r\n") == Kind::not_tls);
  CHECK(stranger.text() ==
        "mail.example.com:25 does not speak TLS: it said \"220 mail.example.com ESMTP Postfix\", "
        "which looks like plaintext SMTP; its usual TLS port is 465; if the server upgrades to TLS "
        "on this port, set starttls = \"smtp\"");
  CHECK(stranger.client->take_output().empty());  // it would not understand an alert
}

TEST_CASE("the first wrong byte decides") {
  Stranger stranger;
  CHECK(stranger.says("*") == Kind::not_tls);
}

TEST_CASE("a greeting that begins like a record is recognised by its second byte") {
  Stranger stranger;
  CHECK(stranger.says("\x16") == Kind::ok);
  CHECK(stranger.says("x and more") == Kind::not_tls);
  CHECK(stranger.text() == Contains("it said \"\\x16x and more\""));
}

TEST_CASE("what a stranger says is made safe to print and kept short") {
  Stranger stranger;
  CHECK(stranger.says("\x1b[31m\a" + std::string(5000, 'x')) == Kind::not_tls);
  CHECK(stranger.text() == Contains("\\x1b[31m\\x07xxx"));
  CHECK(stranger.text().size() < 400);
}

TEST_CASE("an alert is told by its name and what it usually means") {
  struct Case {
    gnutls_alert_description_t alert;
    Kind kind;
    const char* name;
    const char* advice;
  };
  for (const auto& expected : {
           Case{GNUTLS_A_HANDSHAKE_FAILURE, Kind::tls_alert, "handshake_failure (40)",
                "tls.ciphers"},
           Case{GNUTLS_A_INSUFFICIENT_SECURITY, Kind::tls_alert, "insufficient_security (71)",
                "tls.ciphers"},
           Case{GNUTLS_A_PROTOCOL_VERSION, Kind::tls_version, "protocol_version (70)",
                "tls.min_version"},
           Case{GNUTLS_A_UNRECOGNIZED_NAME, Kind::tls_alert, "unrecognized_name (112)", "tls.sni"},
           Case{GNUTLS_A_INTERNAL_ERROR, Kind::tls_alert, "internal_error (80)", "log"},
           Case{GNUTLS_A_DECODE_ERROR, Kind::tls_alert, "decode_error (50)", "bug"},
           Case{GNUTLS_A_BAD_CERTIFICATE, Kind::client_cert_rejected, "bad_certificate (42)",
                "client certificate"},
           Case{GNUTLS_A_CERTIFICATE_REQUIRED, Kind::client_cert_rejected,
                "certificate_required (116)", "client certificate"},
       }) {
    Stranger stranger;
    CHECK(word(stranger.says(alert_record(static_cast<unsigned char>(expected.alert)))) ==
          word(expected.kind));
    CHECK(stranger.text() == Contains(expected.name));
    CHECK(stranger.text() == Contains(expected.advice));
    CHECK(stranger.text() == Contains("dc1.example.com:636"));
  }
}

TEST_CASE("an alert that nobody has a name for is told by its number") {
  Stranger stranger;
  CHECK(stranger.says(alert_record(200)) == Kind::tls_alert);
  CHECK(stranger.text() == Contains("number 200"));
}

TEST_CASE("a server that does not know the name says so") {
  Fixture f;
  f.options.known_name = "www.example.com";
  f.connect();
  REQUIRE(f.client().has_failed());
  CHECK(f.failure().kind == Kind::tls_alert);
  CHECK(f.failure().text == Contains("unrecognized_name"));
}

TEST_CASE("a server without a common suite says handshake_failure") {
  Fixture f;
  f.options.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA";
  f.connect();
  REQUIRE(f.client().has_failed());
  CHECK(f.failure().kind == Kind::tls_alert);
}

TEST_CASE("a server that wants a client certificate") {
  Fixture f;
  SUBCASE("and insists, in TLS 1.2, refuses in the handshake") {
    f.options.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
    f.options.require_certificate = true;
    f.connect();
    REQUIRE(f.client().has_failed());
    CHECK_FALSE(f.client().is_established());
    CHECK(word(f.failure().kind) == "client_cert_rejected");
    CHECK(f.failure().text == Contains("wants a client certificate"));
  }
  SUBCASE("and insists, in TLS 1.3, refuses after it") {
    f.options.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3";
    f.options.require_certificate = true;
    f.connect();
    CHECK(f.client().is_established());
    REQUIRE(f.client().has_failed());
    CHECK_FALSE(f.client().session().has_received_data());
    CHECK(word(f.failure().kind) == "client_cert_rejected");
    CHECK(
        f.failure().text ==
        "dc1.example.com:636 wants a client certificate and refused to go on without one with the "
        "alert certificate_required (116); set tls.cert and tls.key");
  }
  SUBCASE("but does not insist goes on without") {
    f.options.request_certificate = true;
    f.connect();
    CHECK_MESSAGE(f.client().is_established(), f.failure().text);
    CHECK_FALSE(f.client().has_failed());
  }
}

TEST_CASE("OpenSSL's vague handshake_failure for a missing certificate is understood") {
  Fixture f;
  f.options.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
  f.options.request_certificate = true;
  // Up to the server's first flight, which asks; then the alert instead of the second.
  f.connect();
  Client client(f.context(), f.peer);
  TestServer server(f.options);
  client.start();
  server.receive(client.take_output());
  client.receive(server.take_output());
  REQUIRE_FALSE(client.has_failed());
  client.receive(alert_record(40));
  REQUIRE(client.has_failed());
  CHECK(word(client.failure().kind) == "client_cert_rejected");
}

TEST_CASE("a fatal alert in the middle of a session") {
  Fixture f;
  f.connect();
  SUBCASE("before any data may be about the client certificate") {
    f.server().send_alert(GNUTLS_AL_FATAL, GNUTLS_A_UNKNOWN_CA);
    f.exchange();
    REQUIRE(f.client().has_failed());
    CHECK(word(f.failure().kind) == "client_cert_rejected");
  }
  SUBCASE("before any data, about something else") {
    f.server().send_alert(GNUTLS_AL_FATAL, GNUTLS_A_INTERNAL_ERROR);
    f.exchange();
    REQUIRE(f.client().has_failed());
    CHECK(word(f.failure().kind) == "tls_alert");
  }
  SUBCASE("after data is an alert") {
    f.server().send("data");
    f.server().send_alert(GNUTLS_AL_FATAL, GNUTLS_A_CERTIFICATE_EXPIRED);
    f.exchange();
    CHECK(f.client().received() == "data");
    REQUIRE(f.client().has_failed());
    CHECK(word(f.failure().kind) == "tls_alert");
    CHECK(f.failure().text == Contains("certificate_expired (45)"));
  }
}

TEST_CASE("warning alerts of TLS 1.2 pass, but not without end") {
  Fixture f;
  f.options.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
  f.connect();
  for (int i = 0; i < 10; ++i) f.server().send_alert(GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED);
  f.server().send("data");
  f.exchange();
  CHECK(f.client().received() == "data");
  CHECK_FALSE(f.client().has_failed());
  for (int i = 0; i < 20; ++i) f.server().send_alert(GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED);
  f.exchange();
  REQUIRE(f.client().has_failed());
  CHECK(f.failure().text == Contains("warning alerts without end"));
}

TEST_CASE("a connection that ends during the handshake") {
  Stranger stranger("dc1.example.com:389");
  auto& session = stranger.client->session();
  SUBCASE("without a word, hints at what usually lives on the port") {
    const auto failure = session.transport_ended(Session::End::eof);
    CHECK(failure.kind == Kind::tls_closed);
    CHECK(failure.text ==
          "dc1.example.com:389 closed the connection during the TLS handshake without a word; port "
          "389 is usually plaintext LDAP; its usual TLS port is 636; if the server upgrades to TLS "
          "on this port, set starttls = \"ldap\"");
  }
  SUBCASE("by a reset, says so") {
    const auto failure = session.transport_ended(Session::End::reset);
    CHECK(failure.kind == Kind::tls_closed);
    CHECK(failure.text == Contains("reset the connection"));
  }
  SUBCASE("after it began to speak TLS, hints at nothing") {
    stranger.client->receive("\x16\x03\x03");
    const auto failure = session.transport_ended(Session::End::eof);
    CHECK(failure.kind == Kind::tls_closed);
    CHECK(failure.text ==
          "dc1.example.com:389 closed the connection in the middle of the TLS handshake");
  }
  SUBCASE("after a failure, the failure stays") {
    stranger.client->receive("220 hello");
    CHECK(session.transport_ended(Session::End::eof).kind == Kind::not_tls);
  }
}

TEST_CASE("a handshake that takes too long") {
  SUBCASE("in silence on a plaintext port") {
    Stranger stranger("db.example.com:5432");
    const auto failure = stranger.client->session().handshake_timed_out(Millis(10'000));
    CHECK(failure.kind == Kind::tls_timeout);
    CHECK(failure.text ==
          "db.example.com:5432 accepted the connection but said nothing to the TLS handshake for "
          "10s; port 5432 is usually plaintext PostgreSQL; if the server upgrades to TLS on this "
          "port, set starttls = \"pgsql\"");
  }
  SUBCASE("in silence on a port of its own") {
    Stranger stranger("dc1.example.com:636");
    CHECK(stranger.client->session().handshake_timed_out(Millis(1500)).text ==
          "dc1.example.com:636 accepted the connection but said nothing to the TLS handshake for "
          "1s500ms");
  }
  SUBCASE("after some words") {
    Stranger stranger;
    stranger.client->receive("\x16\x03\x03\x00");
    CHECK(stranger.client->session().handshake_timed_out(Millis(10'000)).text ==
          "dc1.example.com:636 did not finish the TLS handshake within 10s");
  }
}

TEST_CASE("broken TLS fails with a sentence") {
  Stranger stranger;
  SUBCASE("an impossible ServerHello") {
    CHECK(stranger.says(std::string("\x16\x03\x03\x00\x08\x02\x00\x00\x04\xff\xff\xff\xff", 13)) !=
          Kind::ok);
  }
  SUBCASE("a record that is too long") {
    CHECK(stranger.says(std::string("\x16\x03\x03\xff\xff", 5) + std::string(70'000, 'x')) ==
          Kind::tls_failed);
  }
  SUBCASE("application data in the place of a hello") {
    CHECK(stranger.says(std::string("\x17\x03\x03\x00\x05hello", 10)) == Kind::tls_failed);
  }
  SUBCASE("a ChangeCipherSpec without end") {
    std::string flood;
    for (int i = 0; i < 1000; ++i) flood += std::string("\x14\x03\x03\x00\x01\x01", 6);
    CHECK(stranger.says(flood) == Kind::tls_failed);
  }
  CHECK(stranger.client->has_failed());
  CHECK(stranger.text() == Contains("dc1.example.com:636"));
}

TEST_CASE("random changes of a server's flight never establish a session with damage") {
  for (const char* priority : {"NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"}) {
    Fixture f;
    f.options.priority = priority;
    f.connect();
    for (std::size_t at = 0; at < 700; at += 7) {
      Client client(f.context(), f.peer);
      TestServer server(f.options);
      client.start();
      server.receive(client.take_output());
      auto flight = server.take_output();
      if (at >= flight.size()) break;
      flight[at] = static_cast<char>(flight[at] ^ 0x55);
      client.receive(flight);
      CAPTURE(at);
      // A changed length field may leave it waiting for more; it must never say done.
      CHECK_FALSE(client.is_established());
      if (client.has_failed()) CHECK(client.failure().text == Contains("dc1.example.com:636"));
    }
  }
}

TEST_CASE("a session that has failed stays failed") {
  Stranger stranger;
  CHECK(stranger.says("nonsense") == Kind::not_tls);
  auto& session = stranger.client->session();
  std::byte memory[64];
  OutBuffer out(memory);
  CHECK(session.handshake(out) == Io::failed);
  std::string text = "x";
  CHECK(session.seal(as_mutable_bytes(text), out) == Io::failed);
  CHECK(session.open(memory, out).io == Io::failed);
  CHECK(session.close(out) == Io::failed);
  CHECK(out.empty());
}

}  // namespace tunnel::tls::refusal_test
