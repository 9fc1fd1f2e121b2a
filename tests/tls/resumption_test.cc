// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <gnutls/crypto.h>

#include <vector>

#include "base/encoding.h"
#include "base/text.h"
#include "fixture.h"
#include "ocsp_maker.h"
#include "tls/session_impl.h"
#include "x509/x509_text.h"

namespace tunnel::tls::resumption_test {

using namespace tunnel::test;
using namespace tunnel::tls::test;
using namespace tunnel::x509;

namespace {

constexpr const char* kTls12 = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
constexpr const char* kTls13 = "NORMAL:-VERS-ALL:+VERS-TLS1.3";

// The test runs twice, once with each.
const char* each_version() {
  const char* priority = kTls13;
  SUBCASE("TLS 1.2") { priority = kTls12; }
  SUBCASE("TLS 1.3") {}
  return priority;
}

// The time that both we and GnuTLS believe it is, while a test moves it.
class MovedClock {
 public:
  explicit MovedClock(Remembered& remembered) {
    offset = 0;
    remembered.now = [] { return std::time(nullptr) + offset; };
    gnutls_global_set_time_function([](time_t* out) {
      const auto now = std::time(nullptr) + offset;
      if (out != nullptr) *out = now;
      return now;
    });
  }
  ~MovedClock() { gnutls_global_set_time_function(&std::time); }
  MovedClock(const MovedClock&) = delete;
  MovedClock& operator=(const MovedClock&) = delete;

  void advance(std::time_t by) { offset += by; }

 private:
  inline static std::time_t offset = 0;
};

// A server that gives tickets, and takes those of its earlier incarnations.
struct Resuming : Fixture {
  explicit Resuming(const char* priority = kTls13) {
    take_another_key();
    options.sends_tickets = true;
    options.priority = priority;
    remembers = true;
  }
  // From the next connection on: it does not know its earlier tickets any more.
  void take_another_key() {
    Datum key;
    REQUIRE(gnutls_session_ticket_key_generate(key.get()) == 0);
    options.ticket_key = key.view();
  }
  void expect_full() { expect(false); }
  void expect_resumed() { expect(true); }

 private:
  void expect(bool resumed) {
    INFO(failure().text);
    REQUIRE(client().is_established());
    CHECK(client().session().negotiated().resumed == resumed);
    CHECK((gnutls_session_is_resumed(server().raw()) != 0) == resumed);
    client().send("ping");
    exchange();
    CHECK(server().received() == "ping");
    server().send("pong");
    exchange();
    CHECK(client().received() == "pong");
  }
};

std::string pin_of(const Identity& identity) {
  return "sha256:" + base64(spki_sha256(identity.certificate()));
}

}  // namespace

TEST_CASE("a session is resumed, again and again") {
  const char* const version = each_version();
  Resuming f(version);
  f.connect();
  f.expect_full();
  for (int i = 0; i < 5; ++i) {
    f.connect_again();
    f.expect_resumed();
    CHECK(f.client().session().negotiated().version ==
          (version == kTls12 ? std::string_view("TLS1.2") : std::string_view("TLS1.3")));
  }
}

TEST_CASE("a resumed TLS 1.3 session still agrees on fresh keys") {
  Resuming f;
  f.connect();
  f.connect_again();
  f.expect_resumed();
  CHECK(f.client().session().negotiated().group != "");
}

TEST_CASE("a TLS 1.3 ticket is used once") {
  Resuming f;
  f.connect();
  const auto tickets = f.remembered.ticket_count();
  REQUIRE(tickets > 0);
  f.options.sends_tickets = false;  // from now on no new ones
  for (std::size_t left = tickets; left > 0; --left) {
    CHECK(f.remembered.ticket_count() == left);
    f.connect_again();
    f.expect_full();
  }
  CHECK(f.remembered.ticket_count() == 0);
}

TEST_CASE("a ticket that comes late, among data, is kept too") {
  Resuming f;
  f.connect();
  const auto before = f.remembered.ticket_count();
  f.server().send("data");
  f.server().send_ticket();
  f.exchange();
  CHECK(f.client().received() == "data");
  CHECK(f.remembered.ticket_count() == before + 1);
  f.connect_again();
  f.expect_resumed();
}

TEST_CASE("a server that no longer knows a ticket gets a full handshake on the same connection") {
  Resuming f(each_version());
  f.connect();
  f.take_another_key();
  f.connect_again();
  f.expect_full();
  f.connect_again();
  f.expect_resumed();
}

TEST_CASE("a server that never takes its tickets back is not offered any for a while") {
  Resuming f(each_version());
  MovedClock clock(f.remembered);
  f.connect();
  for (unsigned i = 0; i < RefusedTickets::kInARow; ++i) {
    f.take_another_key();
    f.connect_again();
    f.expect_full();
  }
  CHECK(f.remembered.ticket_count() == 0);
  // It would take this one, but nobody shows it.
  f.connect_again();
  f.expect_full();
  CHECK(f.remembered.ticket_count() == 0);
  clock.advance(RefusedTickets::kPause);
  f.connect_again();
  f.connect_again();
  f.expect_resumed();
  f.connect_again();
  f.expect_resumed();
}

TEST_CASE("a server that changes its TLS version gets a full handshake") {
  Resuming f(kTls12);
  SUBCASE("upwards") {
    f.connect();
    f.options.priority = kTls13;
    // One that could still read the ticket would be confused by it: GnuTLS's servers are.
    f.options.ticket_key.clear();
  }
  SUBCASE("downwards") {
    f.options.priority = kTls13;
    f.connect();
    f.options.priority = kTls12;
  }
  f.connect_again();
  f.expect_full();
}

TEST_CASE("a server that asks for another group resumes all the same") {
  Resuming f("NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP384R1");
  f.connect();
  f.expect_full();
  f.connect_again();
  f.expect_resumed();
}

TEST_CASE("tickets do not cross between names, server names, targets and contexts") {
  Resuming f;
  f.connect();
  const auto kept = f.remembered.ticket_count();
  REQUIRE(kept > 0);
  SUBCASE("another name") { f.peer.names = {"127.0.0.1"}; }
  SUBCASE("one name more") { f.peer.names.push_back("dc2.example.com"); }
  SUBCASE("another server name") { f.peer.sni = "dc2.example.com"; }
  SUBCASE("another target") { f.peer.target = "dc2.example.com:636"; }
  SUBCASE("another context, configured alike") { f.load(); }
  f.options.sends_tickets = false;
  f.connect_again();
  CHECK(f.client().is_established());
  CHECK_FALSE(f.client().session().negotiated().resumed);
  CHECK(f.remembered.ticket_count() == kept);
}

TEST_CASE("a context with another pin resumes nothing and finds the wrong key") {
  Resuming f;
  f.connect();
  f.tls.pin = {pin_of(f.ca)};
  f.load();
  f.connect_again();
  REQUIRE(f.client().has_failed());
  CHECK(word(f.failure().kind) == word(Kind::pin_mismatch));
}

TEST_CASE("without resumption no ticket is asked for, kept or offered") {
  Resuming f;
  SUBCASE("by tls.resumption") { f.tls.resumption = false; }
  SUBCASE("by a session that remembers nothing") { f.remembers = false; }
  f.connect();
  f.expect_full();
  CHECK((gnutls_session_get_flags(f.server().raw()) & GNUTLS_SFLAGS_SESSION_TICKET) == 0);
  CHECK(f.remembered.ticket_count() == 0);
  f.connect_again();
  f.expect_full();
}

TEST_CASE("an hour after the full handshake there is another, however often it was resumed") {
  Resuming f(each_version());
  MovedClock clock(f.remembered);
  f.connect();
  f.expect_full();
  for (int i = 0; i < 2; ++i) {
    clock.advance(1700);
    f.connect_again();
    f.expect_resumed();
  }
  clock.advance(250);
  f.connect_again();
  f.expect_full();
  f.connect_again();
  f.expect_resumed();
}

TEST_CASE("a session is not resumed when its certificate has expired") {
  Resuming f(each_version());
  const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}, .valid_until = 120},
                      &f.ca);
  f.options.chain = {&leaf};
  MovedClock clock(f.remembered);
  f.connect();
  f.connect_again();
  f.expect_resumed();
  clock.advance(121);
  // A verified chain is known for longer than that: it must not help either.
  f.connect_again();
  REQUIRE(f.client().has_failed());
  CHECK(word(f.failure().kind) == word(Kind::cert_expired));
  CHECK_FALSE(f.client().session().negotiated().resumed);
}

TEST_CASE("a session is not resumed when the CRL has ended") {
  Resuming f;
  f.tls.crl = {f.folder.write("crl.pem", make_crl(f.ca, {.next_update = 120}))};
  MovedClock clock(f.remembered);
  f.connect();
  f.connect_again();
  f.expect_resumed();
  clock.advance(121);
  f.connect_again();
  REQUIRE(f.client().has_failed());
  CHECK(word(f.failure().kind) == word(Kind::crl_unusable));
}

TEST_CASE("a reload with a CRL that revokes the certificate is not bypassed by tickets") {
  Resuming f;
  f.connect();
  f.connect_again();
  f.expect_resumed();
  f.tls.crl = {f.folder.write("crl.pem", make_crl(f.ca, {.revoked = {&f.leaf}}))};
  f.load();
  f.connect_again();
  REQUIRE(f.client().has_failed());
  CHECK(word(f.failure().kind) == word(Kind::cert_revoked));
}

TEST_CASE("tickets of a context that has gone are dropped, those of its successor are kept") {
  Resuming f;
  f.connect();
  const auto of_one = f.remembered.ticket_count();
  REQUIRE(of_one > 0);
  f.remembered.drop_orphans();
  CHECK(f.remembered.ticket_count() == of_one);
  f.load();
  f.connect_again();
  CHECK(f.remembered.ticket_count() == 2 * of_one);
  f.remembered.drop_orphans();
  CHECK(f.remembered.ticket_count() == of_one);
  f.connect_again();
  f.expect_resumed();
}

TEST_CASE("the certificates of a resumed session are judged again") {
  // The ticket is still good, but what it was based on is no longer: as if the time of its end had
  // been reckoned wrong.
  Resuming f(kTls13);
  SUBCASE("TLS 1.2") { f.options.priority = kTls12; }
  SUBCASE("TLS 1.3") {}
  const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}, .valid_until = 120},
                      &f.ca);
  f.options.chain = {&leaf};
  MovedClock clock(f.remembered);
  f.connect();
  Fingerprinter printer;
  printer.add(*f.context().impl().identity).add(f.peer.target).add(f.peer.sni);
  printer.add_count(1).add(f.peer.names[0]);
  const auto key = printer.finish();
  REQUIRE(key);
  auto ticket = f.remembered.at(*key)->tickets.take(*key, f.remembered.now());
  REQUIRE(ticket);
  ticket->expires += 1000;
  f.remembered.at(*key)->tickets.forget(*key);
  f.remembered.at(*key)->tickets.put(*key, *ticket, f.remembered.now());
  clock.advance(121);
  f.connect_again();
  REQUIRE(f.client().has_failed());
  CHECK(word(f.failure().kind) == word(Kind::cert_expired));
  CHECK(gnutls_session_is_resumed(f.client().session().impl().session.get()) != 0);
}

TEST_CASE("a handshake that fails with a ticket is followed by full ones") {
  Resuming f;
  f.connect();
  REQUIRE(f.remembered.ticket_count() > 0);
  {
    Client client(f.context(), f.peer, &f.remembered);
    client.start();
    SUBCASE("an alert") { client.receive(std::string("\x15\x03\x03\x00\x02\x02\x28", 7)); }
    SUBCASE("the end of the connection") {}
  }
  CHECK(f.remembered.ticket_count() == 0);
  f.connect_again();
  f.expect_full();
}

TEST_CASE("a handshake that works without the ticket proves that it was the ticket") {
  Resuming f(each_version());
  MovedClock clock(f.remembered);
  f.connect();
  {
    Client client(f.context(), f.peer, &f.remembered);
    client.start();
    client.receive(std::string("\x15\x03\x03\x00\x02\x02\x28", 7));
    REQUIRE(client.has_failed());
    CHECK(client.session().is_ticket_suspected());
  }
  {
    TestServer server(f.options);
    Client client(f.context(), f.peer, &f.remembered, Tickets::suspected);
    exchange(client, server);
    REQUIRE(client.is_established());
    CHECK_FALSE(client.session().is_ticket_suspected());
    CHECK((gnutls_session_get_flags(server.raw()) & GNUTLS_SFLAGS_SESSION_TICKET) == 0);
  }
  for (int i = 0; i < 3; ++i) {
    f.connect_again();
    f.expect_full();
    CHECK(f.remembered.ticket_count() == 0);
  }
  clock.advance(RefusedTickets::kPause);
  f.connect_again();
  f.connect_again();
  f.expect_resumed();
}

TEST_CASE("a handshake that fails without the ticket as well does not rest the tickets") {
  Resuming f(each_version());
  f.connect();
  {
    Client client(f.context(), f.peer, &f.remembered, Tickets::suspected);
    client.start();
    client.receive(std::string("\x15\x03\x03\x00\x02\x02\x28", 7));
    REQUIRE(client.has_failed());
    CHECK_FALSE(client.session().is_ticket_suspected());
  }
  f.connect_again();
  f.expect_resumed();
}

TEST_CASE("a ticket is not suspected when the server went on to a full handshake") {
  Resuming f(each_version());
  f.connect();
  f.take_another_key();
  const Identity other({.common_name = "dc9", .dns = {"dc9.example.com"}}, &f.ca);
  f.options.chain = {&other};
  f.connect_again();
  CHECK(word(f.failure().kind) == word(Kind::cert_name_mismatch));
  CHECK_FALSE(f.client().session().is_ticket_suspected());
}

TEST_CASE("a resumed session that is refused before the first byte rests the tickets") {
  Resuming f;
  f.connect();
  f.connect_again();
  f.expect_resumed();
  f.connect_again();
  REQUIRE(f.client().is_established());
  REQUIRE(f.client().session().negotiated().resumed);
  REQUIRE(gnutls_alert_send(f.server().raw(), GNUTLS_AL_FATAL, GNUTLS_A_ACCESS_DENIED) == 0);
  f.exchange();
  REQUIRE(f.client().has_failed());
  CHECK(f.remembered.ticket_count() == 0);
  f.connect_again();
  f.expect_full();
  CHECK(f.remembered.ticket_count() == 0);
}

TEST_CASE("certificates that were just verified are known, for the same question only") {
  Resuming f;
  f.options.sends_tickets = false;
  f.connect();
  CHECK(f.remembered.chain_count() == 1);
  f.connect_again();
  f.expect_full();
  CHECK(f.remembered.chain_count() == 1);
  SUBCASE("another name that is right") {
    f.peer.names = {"127.0.0.1"};
    f.connect_again();
    f.expect_full();
    CHECK(f.remembered.chain_count() == 2);
  }
  SUBCASE("another name that is wrong") {
    f.peer.names = {"dc2.example.com"};
    for (int i = 0; i < 2; ++i) {
      f.connect_again();
      CHECK(word(f.failure().kind) == word(Kind::cert_name_mismatch));
    }
    CHECK(f.remembered.chain_count() == 1);
  }
  SUBCASE("another context") {
    f.tls.pin = {pin_of(f.ca)};
    f.load();
    f.connect_again();
    CHECK(word(f.failure().kind) == word(Kind::pin_mismatch));
  }
  SUBCASE("another certificate") {
    const Identity other_ca({.common_name = "Example CA", .is_ca = true});
    const Identity other({.common_name = "dc1", .dns = {"dc1.example.com"}}, &other_ca);
    f.options.chain = {&other};
    f.connect_again();
    CHECK(f.client().has_failed());
  }
  SUBCASE("another stapled response") {
    f.options.ocsp_response =
        make_ocsp_response(f.leaf, f.ca, f.ca, {.status = OcspAnswer::Status::revoked});
    f.connect_again();
    CHECK(word(f.failure().kind) == word(Kind::cert_revoked));
  }
}

TEST_CASE("what was verified with a stapled response is known as long as the response is good") {
  Resuming f;
  f.options.sends_tickets = false;
  MovedClock clock(f.remembered);
  f.options.ocsp_response = make_ocsp_response(f.leaf, f.ca, f.ca, {.next_update = 100});
  f.connect();
  f.expect_full();
  clock.advance(101);
  f.connect_again();
  REQUIRE(f.client().has_failed());
  CHECK(word(f.failure().kind) == word(Kind::ocsp_failed));
}

}  // namespace tunnel::tls::resumption_test
