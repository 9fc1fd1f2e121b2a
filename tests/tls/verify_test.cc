// SPDX-License-Identifier: MIT
// What x509 makes of a server's certificates, seen through whole handshakes.
#include <doctest/doctest.h>

#include <filesystem>

#include "base/encoding.h"
#include "base/text.h"
#include "fixture.h"
#include "tls/attempt.h"
#include "x509/x509_text.h"

namespace tunnel::tls::verify_test {

using namespace tunnel::test;
using namespace tunnel::tls::test;
using namespace tunnel::x509;

namespace {

// Shows `leaf` and expects a failure of that kind, after which the server has been told.
void expect_refused(Fixture& f, Kind kind) {
  f.connect();
  REQUIRE(f.client().has_failed());
  INFO(f.failure().text);
  CHECK(word(f.failure().kind) == word(kind));
  CHECK_FALSE(f.server().is_established());
}

std::string pin_of(const Identity& identity) {
  return "sha256:" + base64(spki_sha256(identity.certificate()));
}

}  // namespace

TEST_CASE("an unknown issuer is told with its name and what to put in tls.ca") {
  Fixture f;
  const Identity other_ca({.common_name = "Other CA", .is_ca = true});
  const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}}, &other_ca);
  f.options.chain = {&leaf};
  expect_refused(f, Kind::cert_untrusted);
  CHECK(f.failure().text ==
        "certificate of dc1.example.com:636 leads to the issuer \"CN=Other CA\", which is not in "
        "tls.ca (" +
            f.tls.ca[0] +
            "); put the certificate of that CA in tls.ca (or, if that is an intermediate CA, make "
            "the server send its certificate)");
  CHECK(f.server().alert_received() == GNUTLS_A_UNKNOWN_CA);
}

TEST_CASE("a self-signed certificate is told as such, with the pin that would accept it") {
  Fixture f;
  const Identity self({.common_name = "dc1.example.com", .dns = {"dc1.example.com"}});
  f.options.chain = {&self};
  expect_refused(f, Kind::cert_untrusted);
  CHECK(f.failure().text == Contains("is self-signed (\"CN=dc1.example.com\")"));
  CHECK(f.failure().text == Contains(("tls.pin = \"" + pin_of(self) + "\"")));
}

TEST_CASE("a self-signed certificate that is in tls.ca is trusted") {
  Fixture f;
  const Identity self({.common_name = "dc1.example.com", .dns = {"dc1.example.com"}});
  f.options.chain = {&self};
  f.tls.ca = {f.folder.write("self.pem", self.pem())};
  f.connect();
  CHECK_MESSAGE(f.client().is_established(), f.failure().text);
}

TEST_CASE("a chain with an intermediate is trusted when the server sends it") {
  Fixture f;
  const Identity middle({.common_name = "Middle CA", .is_ca = true}, &f.ca);
  const Identity lower({.common_name = "Lower CA", .is_ca = true}, &middle);
  const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}}, &lower);
  f.options.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3";
  SUBCASE("without the root") { f.options.chain = {&leaf, &lower, &middle}; }
  SUBCASE("with the root") { f.options.chain = {&leaf, &lower, &middle, &f.ca}; }
  f.connect();
  CHECK_MESSAGE(f.client().is_established(), f.failure().text);
}

TEST_CASE("an intermediate that the server forgot is named") {
  Fixture f;
  const Identity middle({.common_name = "Middle CA", .is_ca = true}, &f.ca);
  const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}}, &middle);
  f.options.chain = {&leaf};
  expect_refused(f, Kind::cert_untrusted);
  CHECK(f.failure().text == Contains("leads to the issuer \"CN=Middle CA\""));
  CHECK(f.failure().text == Contains("make the server send its certificate"));
}

TEST_CASE("a certificate that only pretends to be issued by the CA is not trusted") {
  Fixture f;
  const Identity impostor({.common_name = "Example CA", .is_ca = true});
  const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}}, &impostor);
  f.options.chain = {&leaf};
  expect_refused(f, Kind::cert_untrusted);
}

TEST_CASE("a certificate issued by a server's certificate is not trusted") {
  Fixture f;
  const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}}, &f.leaf);
  f.options.chain = {&leaf, &f.leaf};
  expect_refused(f, Kind::cert_untrusted);
  CHECK(f.failure().text == Contains("not a CA's"));
}

TEST_CASE("an expired certificate is told with its date and how long ago") {
  Fixture f;
  const Identity leaf({.common_name = "dc1",
                       .dns = {"dc1.example.com"},
                       .valid_from = -10 * kDay,
                       .valid_until = -3 * kDay - 60},
                      &f.ca);
  f.options.chain = {&leaf};
  expect_refused(f, Kind::cert_expired);
  CHECK(f.failure().text == "certificate of dc1.example.com:636 expired on " +
                                date_text(gnutls_x509_crt_get_expiration_time(leaf.certificate())) +
                                " (3 days ago); it has to be renewed on the server");
  CHECK(f.server().alert_received() == GNUTLS_A_CERTIFICATE_EXPIRED);
}

TEST_CASE("an expired intermediate is told by name") {
  Fixture f;
  const Identity middle(
      {.common_name = "Middle CA", .is_ca = true, .valid_from = -10 * kDay, .valid_until = -kDay},
      &f.ca);
  const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}}, &middle);
  f.options.chain = {&leaf, &middle};
  expect_refused(f, Kind::cert_expired);
  CHECK(f.failure().text ==
        Contains("CA certificate \"CN=Middle CA\" above the certificate of dc1.example.com:636 "
                 "expired on"));
}

TEST_CASE("an expired CA in tls.ca is told by name") {
  Fixture f;
  const Identity old_ca(
      {.common_name = "Old CA", .is_ca = true, .valid_from = -10 * kDay, .valid_until = -kDay});
  const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}}, &old_ca);
  f.tls.ca = {f.folder.write("old.pem", old_ca.pem())};
  f.options.chain = {&leaf};
  expect_refused(f, Kind::cert_expired);
  CHECK(f.failure().text == Contains("CA certificate \"CN=Old CA\""));
}

TEST_CASE("a certificate from the future is told with a word about the clock") {
  Fixture f;
  const Identity leaf({.common_name = "dc1",
                       .dns = {"dc1.example.com"},
                       .valid_from = 2 * kDay + 60,
                       .valid_until = 9 * kDay},
                      &f.ca);
  f.options.chain = {&leaf};
  expect_refused(f, Kind::cert_not_yet_valid);
  CHECK(f.failure().text == Contains("(in 2 days)"));
  CHECK(f.failure().text == Contains("is the clock right?"));
}

TEST_CASE("a wrong name is told with both names") {
  Fixture f;
  const Identity leaf({.common_name = "dc9.example.com", .dns = {"dc9.example.com"}}, &f.ca);
  f.options.chain = {&leaf};
  expect_refused(f, Kind::cert_name_mismatch);
  CHECK(f.failure().text ==
        "certificate of dc1.example.com:636 is for \"dc9.example.com\", not \"dc1.example.com\"; "
        "set tls.name if that is the server you mean");
}

TEST_CASE("a wrong name passes when only the chain is verified") {
  Fixture f;
  f.peer.names = {"elsewhere.example.com"};
  f.tls.verify = config::Verify::chain;
  f.connect();
  CHECK_MESSAGE(f.client().is_established(), f.failure().text);
}

TEST_CASE("no expected name at all fails closed") {
  Fixture f;
  f.peer.names = {};
  expect_refused(f, Kind::cert_name_mismatch);
}

TEST_CASE("one matching name of any form suffices") {
  Fixture f;
  SUBCASE("DNS") { f.peer.names = {"dc1.example.com"}; }
  SUBCASE("DNS in other letters") { f.peer.names = {"DC1.Example.COM"}; }
  SUBCASE("DNS with a trailing dot") { f.peer.names = {"dc1.example.com."}; }
  SUBCASE("IPv4") { f.peer.names = {"127.0.0.1"}; }
  SUBCASE("IPv6") { f.peer.names = {"::1"}; }
  SUBCASE("IPv6 written out") { f.peer.names = {"0:0:0:0:0:0:0:1"}; }
  SUBCASE("email") { f.peer.names = {"email:admin@example.com"}; }
  SUBCASE("the last of several") { f.peer.names = {"a.example.com", "10.0.0.1", "127.0.0.1"}; }
  f.connect();
  CHECK_MESSAGE(f.client().is_established(), f.failure().text);
}

TEST_CASE("names that do not match are refused in every form") {
  Fixture f;
  SUBCASE("IPv4") { f.peer.names = {"127.0.0.2"}; }
  SUBCASE("IPv6") { f.peer.names = {"::2"}; }
  SUBCASE("email") { f.peer.names = {"email:root@example.com"}; }
  SUBCASE("an email as a host") { f.peer.names = {"admin@example.com"}; }
  SUBCASE("several") { f.peer.names = {"a.example.com", "b.example.com", "10.0.0.1"}; }
  SUBCASE("a name within") { f.peer.names = {"dc1.example.com.evil.net"}; }
  SUBCASE("a name with a zero byte") { f.peer.names = {std::string("dc1.example.com\0.x", 18)}; }
  expect_refused(f, Kind::cert_name_mismatch);
}

TEST_CASE("an IP address in a certificate's common name does not count") {
  Fixture f;
  const Identity leaf({.common_name = "127.0.0.1", .dns = {"127.0.0.1"}}, &f.ca);
  f.options.chain = {&leaf};
  f.peer.names = {"127.0.0.1"};
  expect_refused(f, Kind::cert_name_mismatch);
}

TEST_CASE("an IP address that is text only is told what is wrong with it") {
  Fixture f;
  f.peer.names = {"0:0::1"};
  Subject subject{.common_name = "::1"};
  SUBCASE("in the common name") {}
  SUBCASE("in the common name beside other names") { subject.dns = {"elsewhere.example.com"}; }
  SUBCASE("among the DNS names") { subject = {.common_name = "dc1", .dns = {"::1"}}; }
  const Identity leaf(subject, &f.ca);
  f.options.chain = {&leaf};
  expect_refused(f, Kind::cert_name_mismatch);
  CHECK(f.failure().text ==
        "certificate of dc1.example.com:636 has the address \"0:0::1\" only as text, in its common "
        "name or as a DNS name, where an address does not count: it has to be among the subject "
        "alternative names as an IP address (OpenSSL: subjectAltName = IP:0:0::1); have it issued "
        "anew, or set tls.name to a DNS name that it has");
}

TEST_CASE("a wildcard covers one label") {
  Fixture f;
  const Identity leaf({.common_name = "any", .dns = {"*.example.com"}}, &f.ca);
  f.options.chain = {&leaf};
  SUBCASE("of its own level") {
    f.connect();
    CHECK_MESSAGE(f.client().is_established(), f.failure().text);
  }
  SUBCASE("and none below") {
    f.peer.names = {"a.dc1.example.com"};
    expect_refused(f, Kind::cert_name_mismatch);
  }
  SUBCASE("and not the name without it") {
    f.peer.names = {"example.com"};
    expect_refused(f, Kind::cert_name_mismatch);
  }
  SUBCASE("and none where the priority string refuses them") {
    f.tls.priority = "NORMAL:%DISABLE_WILDCARDS";
    expect_refused(f, Kind::cert_name_mismatch);
  }
}

TEST_CASE("a wildcard is a whole first label") {
  struct Case {
    const char* pattern;
    const char* host;
    bool is_good;
  };
  for (const Case& each :
       {Case{"*.example.com", "foo.example.com", true},
        Case{"*.EXAMPLE.com", "FOO.example.COM", true},
        Case{"*.example.com", "foo.example.com.", true},
        Case{"*.xn--bcher-kva.example",
             "foo.b\xc3\xbc"
             "cher.example",
             true},
        Case{"*oo.example.com", "foo.example.com", false},
        Case{"f*.example.com", "foo.example.com", false},
        Case{"f*o.example.com", "foo.example.com", false}, Case{"*", "foo.example.com", false},
        Case{"*.com", "example.com", false}, Case{"**.example.com", "foo.example.com", false},
        Case{"foo.*.com", "foo.example.com", false}}) {
    for (const bool is_common_name : {false, true}) {
      CAPTURE(each.pattern);
      CAPTURE(each.host);
      CAPTURE(is_common_name);
      Fixture f;
      Subject subject{.common_name = "any", .dns = {each.pattern}};
      if (is_common_name) subject = {.common_name = each.pattern};
      const Identity leaf(subject, &f.ca);
      f.options.chain = {&leaf};
      f.peer.names = {each.host};
      f.connect();
      CHECK(f.client().is_established() == each.is_good);
      if (!each.is_good) CHECK(word(f.failure().kind) == word(Kind::cert_name_mismatch));
    }
  }
}

TEST_CASE("a URI is matched to the letter, and only among the URIs") {
  Fixture f;
  const Identity leaf(
      {.common_name = "spiffe://example.com/mail",
       .dns = {"ldap", "spiffe://example.com/web"},
       .uri = {"spiffe://example.com/ldap", std::string("spiffe://x/") + std::string(1000, 'y')}},
      &f.ca);
  f.options.chain = {&leaf};
  SUBCASE("the right one") {
    f.peer.names = {"uri:spiffe://example.com/ldap"};
    f.connect();
    CHECK_MESSAGE(f.client().is_established(), f.failure().text);
  }
  SUBCASE("a long one") {
    f.peer.names = {"uri:spiffe://x/" + std::string(1000, 'y')};
    f.connect();
    CHECK_MESSAGE(f.client().is_established(), f.failure().text);
  }
  SUBCASE("another one") {
    f.peer.names = {"uri:spiffe://example.com/LDAP"};
    expect_refused(f, Kind::cert_name_mismatch);
    CHECK(f.failure().text == Contains("is for \"ldap\", \"spiffe://example.com/web\", "
                                       "\"uri:spiffe://example.com/ldap\", \"uri:spiffe://x/"));
    CHECK(f.failure().text == Contains("not \"uri:spiffe://example.com/LDAP\""));
  }
  SUBCASE("a part of one") {
    f.peer.names = {"uri:spiffe://example.com/ld"};
    expect_refused(f, Kind::cert_name_mismatch);
  }
  SUBCASE("one that is a DNS name") {
    f.peer.names = {"uri:spiffe://example.com/web"};
    expect_refused(f, Kind::cert_name_mismatch);
  }
  SUBCASE("one that is the common name") {
    f.peer.names = {"uri:spiffe://example.com/mail"};
    expect_refused(f, Kind::cert_name_mismatch);
  }
  SUBCASE("a URI is not a host") {
    f.peer.names = {"spiffe://example.com/ldap"};
    expect_refused(f, Kind::cert_name_mismatch);
  }
}

TEST_CASE("a client's certificate does not make a server") {
  Fixture f;
  const Identity leaf(
      {.common_name = "dc1", .dns = {"dc1.example.com"}, .purpose = GNUTLS_KP_TLS_WWW_CLIENT},
      &f.ca);
  f.options.chain = {&leaf};
  expect_refused(f, Kind::cert_untrusted);
  CHECK(f.failure().text == Contains("extended key usage lacks serverAuth"));
}

TEST_CASE("a certificate without extended key usage may serve") {
  Fixture f;
  const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}, .purpose = nullptr},
                      &f.ca);
  f.options.chain = {&leaf};
  f.connect();
  CHECK_MESSAGE(f.client().is_established(), f.failure().text);
}

TEST_CASE("a short RSA key is weak, in every TLS version") {
  Fixture f;
  const Identity leaf(
      {.common_name = "dc1", .dns = {"dc1.example.com"}, .key = GNUTLS_PK_RSA, .bits = 1024},
      &f.ca);
  f.options.chain = {&leaf};
  SUBCASE("TLS 1.2") { f.options.priority += ":-VERS-ALL:+VERS-TLS1.2"; }
  SUBCASE("TLS 1.3") { f.options.priority += ":-VERS-ALL:+VERS-TLS1.3"; }
  expect_refused(f, Kind::cert_weak);
  CHECK(f.failure().text == Contains("has a 1024-bit RSA key"));
}

TEST_CASE("an RSA key of 2048 bits is strong enough") {
  Fixture f;
  const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}, .key = GNUTLS_PK_RSA},
                      &f.ca);
  f.options.chain = {&leaf};
  f.connect();
  CHECK_MESSAGE(f.client().is_established(), f.failure().text);
}

TEST_CASE("a SHA-1 signature is weak") {
  Fixture f;
  const Identity rsa_ca({.common_name = "RSA CA", .is_ca = true, .key = GNUTLS_PK_RSA});
  const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}, .digest = GNUTLS_DIG_SHA1},
                      &rsa_ca);
  f.tls.ca = {f.folder.write("rsa.pem", rsa_ca.pem())};
  f.options.chain = {&leaf};
  expect_refused(f, Kind::cert_weak);
  CHECK(f.failure().text == Contains("is signed with RSA-SHA1"));
}

TEST_CASE("what is too weak for min_strength is told with what was asked for") {
  Fixture f;
  const auto trust = [&f](const Identity& ca) { f.tls.ca = {f.folder.write("it.pem", ca.pem())}; };
  SUBCASE("128 bits and an RSA key of 2048") {
    f.tls.min_strength = config::MinStrength::bits128;
    const Identity leaf({.dns = {"dc1.example.com"}, .key = GNUTLS_PK_RSA}, &f.ca);
    f.options.chain = {&leaf};
    expect_refused(f, Kind::cert_weak);
    CHECK(f.failure().text ==
          "certificate of dc1.example.com:636 has a 2048-bit RSA key, which is too weak (128 bits "
          "of strength are required); it has to be replaced by one with an RSA key of at least "
          "3072 bits or an elliptic curve key of at least 256 bits, signed with SHA-256");
  }
  SUBCASE("192 bits and a CA on P-256") {
    f.tls.min_strength = config::MinStrength::bits192;
    constexpr auto kP384 = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1);
    const Identity leaf({.dns = {"dc1.example.com"}, .bits = kP384, .digest = GNUTLS_DIG_SHA384},
                        &f.ca);
    f.options.chain = {&leaf};
    expect_refused(f, Kind::cert_weak);
    CHECK(f.failure().text ==
          Contains("CA certificate \"CN=Example CA\" above the certificate of dc1.example.com:636 "
                   "has a 256-bit EC/ECDSA key"));
    CHECK(f.failure().text == Contains("(192 bits of strength are required)"));
    CHECK(f.failure().text == Contains("at least 384 bits, signed with SHA-384"));
  }
  SUBCASE("192 bits and a signature with SHA-256") {
    f.tls.min_strength = config::MinStrength::bits192;
    constexpr auto kP384 = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1);
    const Identity ca({.common_name = "P-384 CA", .is_ca = true, .bits = kP384});
    trust(ca);
    const Identity leaf({.dns = {"dc1.example.com"}, .bits = kP384}, &ca);
    f.options.chain = {&leaf};
    expect_refused(f, Kind::cert_weak);
    CHECK(f.failure().text == Contains("is signed with ECDSA-SHA256, which is too weak (192 bits"));
  }
}

TEST_CASE("a priority string may allow what is weak") {
  Fixture f;
  const Identity leaf({.common_name = "dc1", .dns = {"dc1.example.com"}, .digest = GNUTLS_DIG_SHA1},
                      &f.ca);
  f.options.chain = {&leaf};
  f.tls.priority = "NORMAL:%PROFILE_LOW:%VERIFY_ALLOW_SIGN_WITH_SHA1";
  f.connect();
  CHECK_MESSAGE(f.client().is_established(), f.failure().text);
}

TEST_CASE("of several profiles in a priority string the last holds, as in GnuTLS") {
  Fixture f;
  const Identity leaf({.dns = {"dc1.example.com"}, .key = GNUTLS_PK_RSA}, &f.ca);
  f.options.chain = {&leaf};
  SUBCASE("a weaker one after a stronger") {
    f.tls.priority = "NORMAL:%PROFILE_HIGH:%PROFILE_LOW";
    f.connect();
    CHECK_MESSAGE(f.client().is_established(), f.failure().text);
  }
  SUBCASE("a stronger one after a weaker") {
    f.tls.priority = "NORMAL:%PROFILE_LOW:%PROFILE_HIGH";
    expect_refused(f, Kind::cert_weak);
  }
  SUBCASE("that of Suite B, which takes no RSA") {
    f.tls.priority = "NORMAL:%PROFILE_SUITEB128";
    expect_refused(f, Kind::cert_weak);
  }
  SUBCASE("the one that a keyword stands for") {
    CHECK(verify_flags_of("SECURE192") == GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_HIGH));
    CHECK(verify_flags_of("SECURE256:-VERS-TLS1.2") ==
          GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_HIGH));
    CHECK(verify_flags_of("SECURE192:%PROFILE_LOW") ==
          GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_LOW));
    CHECK(verify_flags_of("secure192") == GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_HIGH));
    CHECK(verify_flags_of("SUITEB128") == GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_SUITEB128));
    CHECK(verify_flags_of("NORMAL:%PROFILE_SUITEB192") ==
          GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_SUITEB192));
    CHECK(verify_flags_of("NONE") == GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM));
    // Of several keywords the weakest counts.
    CHECK(verify_flags_of("NONE:+SECURE192") == GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_HIGH));
    CHECK(verify_flags_of("NORMAL:+SECURE192") == GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM));
    CHECK(verify_flags_of("SECURE192:+NORMAL") == GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM));
  }
  SUBCASE("the first one again at the end") {
    f.tls.priority = "NORMAL:%PROFILE_LOW:%PROFILE_HIGH:%PROFILE_LOW";
    f.connect();
    CHECK_MESSAGE(f.client().is_established(), f.failure().text);
  }
}

TEST_CASE("pins") {
  Fixture f;
  const Identity other({.common_name = "other"});
  SUBCASE("a right pin in addition to the chain passes") {
    f.tls.pin = {pin_of(other), pin_of(f.leaf)};
    f.connect();
    CHECK_MESSAGE(f.client().is_established(), f.failure().text);
  }
  SUBCASE("a right pin does not make up for a wrong chain") {
    f.options.chain = {&other};
    f.tls.pin = {pin_of(other)};
    expect_refused(f, Kind::cert_untrusted);
  }
  SUBCASE("a wrong pin is told with the right one") {
    f.tls.pin = {pin_of(other)};
    expect_refused(f, Kind::pin_mismatch);
    CHECK(f.failure().text == Contains(pin_of(f.leaf)));
  }
  SUBCASE("the CA's pin is not the server's") {
    f.tls.pin = {pin_of(f.ca)};
    f.options.chain = {&f.leaf, &f.ca};
    expect_refused(f, Kind::pin_mismatch);
  }
  SUBCASE("verify = pin needs no chain and no name") {
    f.tls.verify = config::Verify::pin;
    f.tls.ca = {};
    f.options.chain = {&other};
    f.tls.pin = {"sha256:" + hex(spki_sha256(other.certificate()))};
    f.connect();
    CHECK_MESSAGE(f.client().is_established(), f.failure().text);
  }
  SUBCASE("verify = pin refuses another key") {
    f.tls.verify = config::Verify::pin;
    f.tls.pin = {pin_of(other)};
    expect_refused(f, Kind::pin_mismatch);
  }
  SUBCASE("verify = pin holds a certificate to its dates") {
    const Identity old({.common_name = "old", .valid_from = -9 * kDay, .valid_until = -kDay});
    f.tls.verify = config::Verify::pin;
    f.options.chain = {&old};
    f.tls.pin = {pin_of(old)};
    expect_refused(f, Kind::cert_expired);
  }
}

TEST_CASE("verify = none asks nothing") {
  Fixture f;
  const Identity bad({.common_name = "nobody", .valid_from = -9 * kDay, .valid_until = -kDay});
  f.options.chain = {&bad};
  f.tls.verify = config::Verify::none;
  f.tls.ca = {};
  f.connect();
  CHECK_MESSAGE(f.client().is_established(), f.failure().text);
}

TEST_CASE("a refused certificate is told to the server in every TLS version") {
  Fixture f;
  f.peer.names = {"elsewhere.example.com"};
  SUBCASE("TLS 1.2") { f.options.priority += ":-VERS-ALL:+VERS-TLS1.2"; }
  SUBCASE("TLS 1.3") { f.options.priority += ":-VERS-ALL:+VERS-TLS1.3"; }
  expect_refused(f, Kind::cert_name_mismatch);
  CHECK(f.server().error() == GNUTLS_E_FATAL_ALERT_RECEIVED);
  CHECK(f.server().alert_received() == GNUTLS_A_BAD_CERTIFICATE);
}

TEST_CASE("certificates that the server may have") {
  Fixture f;
  const Identity other({.common_name = "dc1", .dns = {"dc1.example.com"}});
  const Identity self({.common_name = "stranger"});
  const auto write = [&f](const std::string& pem) { return f.folder.write("peers.pem", pem); };
  f.tls.verify = config::Verify::pin;
  SUBCASE("one of them, whoever issued it") {
    f.options.chain = {&self};
    f.tls.peer_certs = {write(other.pem() + self.pem())};
    f.connect();
    CHECK_MESSAGE(f.client().is_established(), f.failure().text);
  }
  SUBCASE("one of them, in a folder or another file") {
    f.options.chain = {&self};
    std::filesystem::create_directory(f.folder.path() + "/peers");
    (void)f.folder.write("peers/a.pem", other.pem());
    (void)f.folder.write("peers/b.pem", self.pem());
    f.tls.peer_certs = {write(other.pem()), f.folder.path() + "/peers"};
    f.connect();
    CHECK_MESSAGE(f.client().is_established(), f.failure().text);
  }
  SUBCASE("one of them, as DER") {
    f.tls.peer_certs = {write(f.leaf.der())};
    f.connect();
    CHECK_MESSAGE(f.client().is_established(), f.failure().text);
  }
  SUBCASE("a renewed one with the same subject and key") {
    f.options.chain = {&self};
    const Identity renewed({.common_name = "stranger", .valid_until = 90 * kDay}, nullptr, self);
    f.tls.peer_certs = {write(renewed.pem())};
    f.connect();
    CHECK_MESSAGE(f.client().is_established(), f.failure().text);
  }
  SUBCASE("another name is told with both") {
    f.options.chain = {&self};
    f.tls.peer_certs = {write(other.pem() + f.ca.pem())};
    expect_refused(f, Kind::pin_mismatch);
    CHECK(f.failure().text ==
          Contains("is CN=stranger with the key " + pin_of(self) + ", but tls.peer_certs (" +
                   f.tls.peer_certs[0] + ") has CN=dc1, CN="));
  }
  SUBCASE("the same name with another key is told with both keys") {
    const Identity imposter({.common_name = "stranger"});
    f.options.chain = {&imposter};
    f.tls.peer_certs = {write(self.pem())};
    expect_refused(f, Kind::pin_mismatch);
    CHECK(f.failure().text == Contains("is CN=stranger with the key " + pin_of(imposter)));
    CHECK(f.failure().text == Contains("has CN=stranger with another key, " + pin_of(self)));
  }
  SUBCASE("the same key under another name") {
    const Identity renamed({.common_name = "renamed"}, nullptr, self);
    f.options.chain = {&renamed};
    f.tls.peer_certs = {write(self.pem())};
    expect_refused(f, Kind::pin_mismatch);
    CHECK(f.failure().text == Contains("has that key for CN=stranger"));
  }
  SUBCASE("dates still hold") {
    const Identity expired({.common_name = "old", .valid_from = -9 * kDay, .valid_until = -kDay});
    f.options.chain = {&expired};
    f.tls.peer_certs = {write(expired.pem())};
    expect_refused(f, Kind::cert_expired);
  }
  SUBCASE("or a pin: one match of either suffices") {
    f.tls.peer_certs = {write(other.pem())};
    f.tls.pin = {pin_of(f.leaf)};
    f.connect();
    CHECK_MESSAGE(f.client().is_established(), f.failure().text);
  }
  SUBCASE("in addition to the chain") {
    f.tls.verify = config::Verify::full;
    f.tls.peer_certs = {write(other.pem())};
    expect_refused(f, Kind::pin_mismatch);
    f.tls.peer_certs = {write(f.leaf.pem())};
    f.connect();
    CHECK_MESSAGE(f.client().is_established(), f.failure().text);
  }
  SUBCASE("a right one does not make up for a wrong chain") {
    f.tls.verify = config::Verify::full;
    f.options.chain = {&self};
    f.tls.peer_certs = {write(self.pem())};
    expect_refused(f, Kind::cert_untrusted);
  }
}

TEST_CASE("a key usage that does not fit the key exchange") {
  struct Case {
    gnutls_pk_algorithm_t key;
    unsigned usage;
    const char* server;
    const char* suite;
    const char* sentence;
  };
  for (const Case& each :
       {Case{GNUTLS_PK_RSA, GNUTLS_KEY_KEY_ENCIPHERMENT, ":-VERS-ALL:+VERS-TLS1.3", "",
             "may not be used for TLS 1.3: its key usage lacks digitalSignature;"},
        Case{GNUTLS_PK_ECDSA, GNUTLS_KEY_KEY_AGREEMENT, ":-VERS-ALL:+VERS-TLS1.3", "",
             "may not be used for TLS 1.3: its key usage lacks digitalSignature;"},
        Case{GNUTLS_PK_RSA, GNUTLS_KEY_KEY_ENCIPHERMENT, ":-VERS-ALL:+VERS-TLS1.2:-RSA", "",
             "may not be used for the key exchange ECDHE-RSA: its key usage lacks "
             "digitalSignature;"},
        Case{GNUTLS_PK_RSA, GNUTLS_KEY_DIGITAL_SIGNATURE, ":-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA",
             "TLS_RSA_WITH_AES_128_GCM_SHA256",
             "may not be used for the key exchange RSA: its key usage lacks keyEncipherment;"}}) {
    for (const auto verify : {config::Verify::full, config::Verify::none}) {
      CAPTURE(each.sentence);
      CAPTURE(verify);
      Fixture f;
      const Identity leaf({.dns = {"dc1.example.com"}, .key = each.key, .key_usage = each.usage},
                          &f.ca);
      f.options.raw_chain = {&leaf};
      f.options.priority += std::string(each.server) + ":%DEBUG_ALLOW_KEY_USAGE_VIOLATIONS";
      f.tls.verify = verify;
      if (verify == config::Verify::none) f.tls.ca = {};
      if (*each.suite != '\0') f.tls.ciphers = {each.suite};
      expect_refused(f, Kind::cert_key_usage);
      CHECK(f.failure().text == Contains(each.sentence));
      CHECK(f.failure().text == Contains("or set tls.allow_key_usage_violation = true"));
      f.tls.allow_key_usage_violation = true;
      f.connect();
      CHECK_MESSAGE(f.client().is_established(), f.failure().text);
    }
  }
}

TEST_CASE("a key usage that is let pass costs nothing else") {
  Fixture f;
  const Identity leaf(
      {.dns = {"dc1.example.com"}, .key = GNUTLS_PK_RSA, .key_usage = GNUTLS_KEY_KEY_ENCIPHERMENT},
      &f.ca);
  f.options.raw_chain = {&leaf};
  f.options.priority += ":-VERS-ALL:+VERS-TLS1.2:-RSA:%DEBUG_ALLOW_KEY_USAGE_VIOLATIONS";
  f.tls.allow_key_usage_violation = true;
  SUBCASE("the session is still bound to its handshake") {
    f.connect();
    REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
    CHECK(gnutls_session_ext_master_secret_status(f.server().raw()) != 0);
    f.client().send("up");
    f.server().send("down");
    f.exchange();
    CHECK(f.server().received() == "up");
    CHECK(f.client().received() == "down");
  }
  SUBCASE("the name is still checked") {
    f.peer.names = {"elsewhere.example.com"};
    expect_refused(f, Kind::cert_name_mismatch);
  }
}

}  // namespace tunnel::tls::verify_test
