// SPDX-License-Identifier: MIT
// Sessions with a pre-shared key. How it is loaded: tests/keys.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include "fixture.h"
#include "tls/context_impl.h"

namespace tunnel::tls::psk_test {

using namespace tunnel::test;
using namespace tunnel::tls::test;

namespace {

constexpr const char* kHex = "0123456789abcdef0123456789ABCDEF";
const std::string kRaw("\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef", 16);

// A client with a pre-shared key alone, and a server that knows it.
struct Shared : Fixture {
  Shared() {
    tls.ca.clear();
    tls.psk_file = folder.write("psk", std::string("robot:") + kHex + "\n");
    REQUIRE(::chmod(tls.psk_file.c_str(), 0600) == 0);
    options.psk_identity = "robot";
    options.psk_key = kRaw;
    speak("1.3");
  }
  void speak(const std::string& version) {
    tls.min_version = tls.max_version =
        version == "1.2" ? config::TlsVersion::tls1_2 : config::TlsVersion::tls1_3;
    options.priority = "NORMAL:+ECDHE-PSK:-VERS-ALL:+VERS-TLS" + version;
  }
};

}  // namespace

TEST_CASE("a pre-shared key authenticates both sides") {
  for (const std::string version : {"1.2", "1.3"}) {
    CAPTURE(version);
    Shared s;
    s.speak(version);
    s.connect(byte_by_byte());
    REQUIRE_MESSAGE(s.client().is_established(), s.failure().text);
    CHECK(s.server().psk_identity() == "robot");
    CHECK(gnutls_auth_get_type(s.server().raw()) == GNUTLS_CRD_PSK);
    CHECK(s.client().session().negotiated().group != "");
    s.client().send("ping");
    s.exchange();
    CHECK(s.server().received() == "ping");
  }
}

TEST_CASE("the longest identity and key work") {
  for (const std::string version : {"1.2", "1.3"}) {
    Shared s;
    s.speak(version);
    s.options.psk_identity = std::string(256, 'i');
    s.options.psk_key = std::string(512, 'k');
    s.tls.psk_file =
        s.folder.write("long", s.options.psk_identity + ":" + s.options.psk_key + "\n");
    s.connect();
    CHECK_MESSAGE(s.client().is_established(), version << ": " << s.failure().text);
  }
}

TEST_CASE("another key fails, with the identity in the sentence") {
  for (const std::string version : {"1.2", "1.3"}) {
    CAPTURE(version);
    Shared s;
    s.speak(version);
    s.options.psk_key = "another key than the client's";
    s.connect();
    REQUIRE(s.client().has_failed());
    CHECK_FALSE(s.client().is_established());
    CHECK_FALSE(s.server().is_established());
    CHECK(word(s.failure().kind) == "tls_alert");
    CHECK(s.failure().text == Contains("\"robot\""));
  }
}

TEST_CASE("a server that shows a certificate instead is refused, whoever issued it") {
  Shared s;
  s.options.psk_identity.clear();
  SUBCASE("however certificates are verified") { s.tls.verify = config::Verify::full; }
  SUBCASE("even when they are not") { s.tls.verify = config::Verify::none; }
  s.connect();
  REQUIRE(s.client().has_failed());
  CHECK_FALSE(s.client().is_established());
  CHECK(word(s.failure().kind) == "cert_untrusted");
  CHECK(s.failure().text == Contains("passed over the pre-shared key"));
}

TEST_CASE("in TLS 1.2 a certificate is not even offered") {
  Shared s;
  s.speak("1.2");
  s.options.psk_identity.clear();
  s.connect();
  REQUIRE(s.client().has_failed());
  CHECK(word(s.failure().kind) == "tls_alert");
  CHECK(s.failure().text == Contains("handshake_failure (40)"));
}

TEST_CASE("with a CA a certificate is accepted, too, and verified") {
  for (const std::string version : {"1.2", "1.3"}) {
    CAPTURE(version);
    Shared s;
    s.speak(version);
    s.tls.ca = {s.folder.write("ca.pem", s.ca.pem())};
    const auto with_psk = s.options.priority;
    s.options.psk_identity.clear();
    s.options.priority = "NORMAL:-VERS-ALL:+VERS-TLS" + version;
    s.connect();
    CHECK_MESSAGE(s.client().is_established(), s.failure().text);
    const Identity stranger({.common_name = "dc1", .dns = {"dc1.example.com"}});
    s.options.chain = {&stranger};
    s.connect();
    REQUIRE(s.client().has_failed());
    CHECK(word(s.failure().kind) == "cert_untrusted");
    CHECK(s.failure().text.find("pre-shared") == std::string::npos);
    s.options.psk_identity = "robot";
    s.options.priority = with_psk;
    s.options.chain = {&s.leaf};
    s.connect();
    CHECK_MESSAGE(s.client().is_established(), s.failure().text);
  }
}

TEST_CASE("verify = none is worth no warning where only the key counts") {
  Shared s;
  s.tls.verify = config::Verify::none;
  Context::Shared shared;
  CHECK(Context::load(s.tls, shared).warnings.empty());
  s.tls.ca = {s.folder.write("ca.pem", s.ca.pem())};
  CHECK(Context::load(s.tls, shared).warnings.size() == 1);
}

TEST_CASE("what is offered with a pre-shared key") {
  Shared s;
  Context::Shared shared;
  s.tls.min_version = config::TlsVersion::tls1_2;
  const auto suites = [&] {
    const auto loaded = Context::load(s.tls, shared);
    REQUIRE(loaded.context != nullptr);
    return loaded.context->impl().offer.suites;
  };
  const auto problem = [&] {
    const auto loaded = Context::load(s.tls, shared);
    REQUIRE(loaded.problems.size() >= 1);
    return loaded.problems.front().key + ": " + loaded.problems.front().text;
  };
  SUBCASE("nothing that needs a certificate, or another hash than the key's") {
    CHECK(suites() == std::vector<std::string>{"TLS_AES_128_GCM_SHA256",
                                               "TLS_CHACHA20_POLY1305_SHA256",
                                               "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256",
                                               "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256",
                                               "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384"});
  }
  SUBCASE("of a list what is of use") {
    s.tls.ciphers = {"TLS_AES_256_GCM_SHA384", "TLS_PSK_WITH_AES_128_GCM_SHA256",
                     "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"};
    CHECK(suites() == std::vector<std::string>{"TLS_PSK_WITH_AES_128_GCM_SHA256"});
    s.options.priority = "NORMAL:+PSK:-VERS-ALL:+VERS-TLS1.2";
    s.connect();
    CHECK_MESSAGE(s.client().is_established(), s.failure().text);
  }
  SUBCASE("a list without anything of use is a problem") {
    s.tls.ciphers = {"TLS_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"};
    CHECK(problem() == "ciphers: none of tls.ciphers can be used with a pre-shared key");
    s.tls.ca = {s.folder.write("ca.pem", s.ca.pem())};
    CHECK(problem() == "ciphers: none of tls.ciphers can be used with a pre-shared key");
  }
}

}  // namespace tunnel::tls::psk_test
