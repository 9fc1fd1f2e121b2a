// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <sys/stat.h>

#include "fixture.h"

namespace tunnel::tls::handshake_test {

using namespace tunnel::test;
using namespace tunnel::tls::test;
using namespace tunnel::x509;

namespace {

constexpr const char* kTls12 = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
constexpr const char* kTls13 = "NORMAL:-VERS-ALL:+VERS-TLS1.3";

void expect_conversation(Fixture& f) {
  REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
  f.client().send("question");
  f.server().send("answer");
  f.exchange();
  CHECK(f.server().received() == "question");
  CHECK(f.client().received() == "answer");
}

}  // namespace

TEST_CASE("a handshake with a trusted server succeeds and says what was agreed on") {
  Fixture f;
  f.connect();
  REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
  CHECK(f.server().is_established());
  const auto agreed = f.client().session().negotiated();
  CHECK(agreed.version == "TLS1.3");
  CHECK(agreed.cipher == "TLS_AES_128_GCM_SHA256");
  CHECK(agreed.group == "X25519");
  CHECK_FALSE(agreed.resumed);
  CHECK_FALSE(f.client().session().has_received_data());
  expect_conversation(f);
}

TEST_CASE("a TLS 1.2 server is spoken to in TLS 1.2") {
  Fixture f;
  f.options.priority = kTls12;
  f.connect();
  REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
  const auto agreed = f.client().session().negotiated();
  CHECK(agreed.version == "TLS1.2");
  CHECK(agreed.cipher == "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
  expect_conversation(f);
}

TEST_CASE("a handshake succeeds one byte at a time") {
  for (const char* priority : {kTls12, kTls13}) {
    CAPTURE(priority);
    Fixture f;
    f.options.priority = priority;
    f.connect(byte_by_byte());
    expect_conversation(f);
  }
}

TEST_CASE("a handshake succeeds in random pieces") {
  for (const char* priority : {kTls12, kTls13}) {
    CAPTURE(priority);
    Fixture f;
    f.options.priority = priority;
    for (unsigned seed = 0; seed < 20; ++seed) {
      f.connect(random_pieces(seed, 300));
      expect_conversation(f);
    }
  }
}

TEST_CASE("a server that wants another group than the first is asked again") {
  Fixture f;
  f.options.priority = std::string(kTls13) + ":-GROUP-ALL:+GROUP-SECP384R1";
  f.connect(random_pieces(3, 100));
  expect_conversation(f);
  CHECK(f.client().session().negotiated().group == "SECP384R1");
}

TEST_CASE("an RSA server is spoken to in both versions") {
  for (const char* priority : {kTls12, kTls13}) {
    CAPTURE(priority);
    Fixture f;
    const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}, .key = GNUTLS_PK_RSA},
                        &f.ca);
    f.options.chain = {&leaf};
    f.options.priority = priority;
    f.connect();
    expect_conversation(f);
  }
}

TEST_CASE("an old Windows server's CBC suites are accepted in TLS 1.2") {
  for (const char* mac : {"SHA256", "SHA384"}) {
    CAPTURE(mac);
    Fixture f;
    f.options.priority =
        std::string(kTls12) + ":-CIPHER-ALL:+AES-128-CBC:+AES-256-CBC:-MAC-ALL:+" + mac;
    f.connect();
    expect_conversation(f);
  }
}

TEST_CASE("CBC with SHA-1 is refused unless older versions are wanted") {
  Fixture f;
  f.options.priority =
      "NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.1:+VERS-TLS1.0:-CIPHER-ALL:+AES-128-CBC:-MAC-ALL:+"
      "SHA1";
  SUBCASE("refused") {
    f.connect();
    REQUIRE(f.client().has_failed());
    CHECK(f.failure().kind == Kind::tls_alert);
    CHECK(f.failure().text == Contains("handshake_failure (40)"));
    CHECK(f.failure().text == Contains("see tls.ciphers"));
  }
  SUBCASE("accepted") {
    f.tls.min_version = config::TlsVersion::tls1_0;
    f.connect();
    expect_conversation(f);
  }
}

// A GnuTLS server without a common version says handshake_failure; refusal_test.cc has those that
// say protocol_version.
TEST_CASE("a TLS 1.0 or 1.1 server is refused, and accepted when asked for") {
  for (const char* version : {"1.0", "1.1"}) {
    CAPTURE(version);
    Fixture f;
    f.options.priority = std::string("NORMAL:-VERS-ALL:+VERS-TLS") + version;
    f.connect();
    REQUIRE(f.client().has_failed());
    CHECK(word(f.failure().kind) == "tls_alert");
    CHECK(f.failure().text == Contains("tls.min_version"));
    f.tls.min_version = config::TlsVersion::tls1_0;
    f.connect();
    expect_conversation(f);
    CHECK(f.client().session().negotiated().version == std::string("TLS") + version);
  }
}

TEST_CASE("the bounds of the version hold") {
  Fixture f;
  SUBCASE("min_version 1.3") {
    f.options.priority = kTls12;
    f.tls.min_version = config::TlsVersion::tls1_3;
  }
  SUBCASE("max_version 1.2") {
    f.options.priority = kTls13;
    f.tls.max_version = config::TlsVersion::tls1_2;
  }
  f.connect();
  REQUIRE(f.client().has_failed());
  CHECK(f.failure().text == Contains("tls.min_version"));
}

TEST_CASE("a server that answers with a lower version is told which") {
  // A ServerHello that chooses TLS 1.1, from a server that does not know the alert.
  std::string hello("\x02\x00\x00\x26\x03\x02", 6);
  hello += std::string(32, 'r') + std::string("\x00\xc0\x09\x00", 4);
  const std::string record =
      std::string("\x16\x03\x02\x00", 4) + static_cast<char>(hello.size()) + hello;
  Fixture f;
  f.connect();
  Client client(f.context(), f.peer);
  client.start();
  client.receive(record);
  REQUIRE(client.has_failed());
  CHECK(client.failure().kind == Kind::tls_version);
  CHECK(client.failure().text ==
        "dc1.example.com:636 speaks TLS 1.1, which is not accepted; see tls.min_version and "
        "tls.max_version");
}

TEST_CASE("what was negotiated outside the list fails although it was offered") {
  Fixture f;
  f.options.priority = kTls12;
  // GnuTLS offers every combination of the pieces; RSA with AES-256 is not in the list.
  f.tls.ciphers = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                   "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"};
  f.options.priority += ":-CIPHER-ALL:+AES-256-GCM";
  f.connect();
  REQUIRE(f.client().has_failed());
  CHECK(f.failure().kind == Kind::tls_failed);
  CHECK(f.failure().text ==
        "dc1.example.com:636 chose the cipher suite TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, which "
        "is not in tls.ciphers");
  CHECK(f.server().error() == GNUTLS_E_FATAL_ALERT_RECEIVED);
}

TEST_CASE("the order of tls.ciphers is the order of preference") {
  Fixture f;
  f.tls.ciphers = {"TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"};
  f.connect();
  REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
  CHECK(f.client().session().negotiated().cipher == "TLS_AES_256_GCM_SHA384");
}

TEST_CASE("tls.groups decides the group") {
  Fixture f;
  f.tls.groups = {"SECP256R1"};
  f.connect();
  REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
  CHECK(f.client().session().negotiated().group == "SECP256R1");
}

TEST_CASE("a priority string replaces the lists") {
  Fixture f;
  f.tls.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM";
  f.connect();
  REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
  CHECK(f.client().session().negotiated().cipher == "TLS_AES_256_GCM_SHA384");
}

TEST_CASE("the server name") {
  Fixture f;
  SUBCASE("is sent") {
    f.connect();
    CHECK(f.server().server_name() == "dc1.example.com");
  }
  SUBCASE("may differ from the name that is verified") {
    f.peer.sni = "www.example.com";
    f.connect();
    CHECK(f.client().is_established());
    CHECK(f.server().server_name() == "www.example.com");
  }
  SUBCASE("is sent without a trailing dot") {
    f.peer.sni = "dc1.example.com.";
    f.connect();
    CHECK(f.server().server_name() == "dc1.example.com");
  }
  SUBCASE("is not sent when empty") {
    f.peer.sni = "";
    f.connect();
    CHECK(f.client().is_established());
    CHECK(f.server().server_name().empty());
  }
  SUBCASE("is never an IPv4 address") {
    f.peer.sni = "127.0.0.1";
    f.connect();
    CHECK(f.server().server_name().empty());
  }
  SUBCASE("is never an IPv6 address") {
    f.peer.sni = "::1";
    f.connect();
    CHECK(f.server().server_name().empty());
  }
}

TEST_CASE("ALPN: the server chooses among ours") {
  Fixture f;
  f.tls.alpn = {"postgresql", "imap"};
  f.options.alpn = {"imap"};
  f.connect();
  REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
  CHECK(f.client().session().alpn_selected() == "imap");
}

TEST_CASE("ALPN: a server without a common protocol is told with the key") {
  Fixture f;
  f.tls.alpn = {"postgresql"};
  f.options.alpn = {"imap"};
  f.connect();
  REQUIRE(f.client().has_failed());
  CHECK(f.failure().kind == Kind::tls_alert);
  CHECK(f.failure().text == Contains("no_application_protocol (120)"));
  CHECK(f.failure().text == Contains("tls.alpn"));
}

TEST_CASE("the key log gets lines that Wireshark reads, for both versions") {
  for (const char* priority : {kTls12, kTls13}) {
    CAPTURE(priority);
    Fixture f;
    f.options.priority = priority;
    f.folder.write("keys", "# here before\n");
    REQUIRE(::chmod((f.folder.path() + "/keys").c_str(), 0600) == 0);
    f.tls.keylog = f.folder.path() + "/keys";
    f.connect();
    REQUIRE(f.client().is_established());
    const auto text = f.folder.read("keys");
    CHECK(text.starts_with("# here before\n"));
    gnutls_datum_t random{}, unused{};
    gnutls_session_get_random(f.server().raw(), &random, &unused);
    Datum hex;
    REQUIRE(gnutls_hex_encode2(&random, hex.get()) == 0);
    const bool is_13 = priority == std::string_view(kTls13);
    const std::string label = is_13 ? "CLIENT_TRAFFIC_SECRET_0" : "CLIENT_RANDOM";
    CHECK(text == Contains("\n" + label + " " + std::string(hex.view()).substr(0, 64) + " "));
    if (is_13) CHECK(text == Contains("\nSERVER_HANDSHAKE_TRAFFIC_SECRET "));
  }
}

}  // namespace tunnel::tls::handshake_test
