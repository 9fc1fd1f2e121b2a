// SPDX-License-Identifier: MIT
#include "tls/psk.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "fixture.h"
#include "tls/context_impl.h"

using namespace tunnel;
using namespace tunnel::x509;
using namespace tunnel::tls;
using namespace tunnel::test;
using namespace tunnel::tls::test;

namespace {

constexpr const char* kHex = "0123456789abcdef0123456789ABCDEF";
const std::string kRaw("\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef", 16);

std::string error_of(std::string_view line) {
  const auto parsed = parse_psk_line(line);
  return parsed ? "no error" : parsed.error().text;
}

struct Loading {
  TempFolder folder;
  config::Tls tls;
  std::vector<Problem> problems;
  std::vector<std::string> warnings;

  void with(const std::string& content) {
    tls.psk_file = folder.write("psk", content);
    REQUIRE(::chmod(tls.psk_file.c_str(), 0640) == 0);
  }
  std::unique_ptr<const PresharedKey> load() {
    problems.clear();
    warnings.clear();
    return PresharedKey::load(tls, problems, warnings);
  }
  std::string identity() {
    const auto psk = load();
    for (const auto& problem : problems) FAIL_CHECK(problem.text);
    return psk ? psk->identity() : "";
  }
  Problem problem() {
    CHECK(load() == nullptr);
    REQUIRE(problems.size() == 1);
    return problems.front();
  }
};

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

TEST_CASE("a line is an identity, a colon and a key") {
  const auto hex = parse_psk_line(std::string("robot:") + kHex);
  REQUIRE(hex);
  CHECK(hex->identity == "robot");
  CHECK(hex->key == kRaw);
  const auto pairs = parse_psk_line("robot:01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef");
  REQUIRE(pairs);
  CHECK(pairs->key == kRaw);
  SUBCASE("a key that is not hexadecimal is taken as it is") {
    for (const std::string key : {"abcdefghijklmnop", "0123456789abcdef0123456789abcde",
                                  "0:123456789abcdef", " 123456789abcdef0123456789abcdef"}) {
      const auto parsed = parse_psk_line("a:" + key);
      REQUIRE(parsed);
      CHECK(parsed->key == key);
    }
  }
  SUBCASE("the first colon counts") {
    const auto parsed = parse_psk_line("a:b:cdefghijklmnopqrst");
    REQUIRE(parsed);
    CHECK(parsed->identity == "a");
    CHECK(parsed->key == "b:cdefghijklmnopqrst");
  }
}

TEST_CASE("a line that is none says why") {
  CHECK(error_of("# a comment") == "there is no colon in it");
  CHECK(error_of(std::string(":") + kHex) == "the identity is empty");
  CHECK(error_of("robot:0123456789abcdef") ==
        "the key has only 8 bytes in hexadecimal, and 16 are needed");
  CHECK(error_of("robot:geheim") == "the key has only 6 bytes, and 16 are needed");
  CHECK(error_of("robot:") == "the key has only 0 bytes in hexadecimal, and 16 are needed");
  CHECK(error_of("r:" + std::string(1026, 'a')) == "the key is longer than 512 bytes");
  CHECK(error_of(std::string(257, 'r') + ":" + kHex) == "the identity is longer than 256 bytes");
  CHECK(error_of(std::string(256, 'r') + ":" + std::string(1024, 'a')) == "no error");
}

TEST_CASE("the identity that is asked for, or the first") {
  Loading l;
  const std::string key = std::string(":") + kHex;
  l.with("a" + key + "\r\n\nb" + key + "\nb" + key);
  CHECK(l.identity() == "a");
  l.tls.psk_identity = "b";
  CHECK(l.identity() == "b");
  CHECK(l.warnings.empty());
  l.tls.psk_identity = "c";
  const auto problem = l.problem();
  CHECK(problem.key == "psk_identity");
  CHECK(problem.text == "\"c\" has no key in " + l.tls.psk_file);
  CHECK(problem.hint == "the identities there: \"a\", \"b\", \"b\"");
}

TEST_CASE("files of keys that are no good") {
  Loading l;
  SUBCASE("missing") {
    l.tls.psk_file = "/nonexistent/psk";
    CHECK(l.problem().text == "/nonexistent/psk: cannot be read: No such file or directory");
  }
  SUBCASE("empty") {
    l.with("\n\n");
    CHECK(l.problem().text == l.tls.psk_file + ": holds no key");
  }
  SUBCASE("a bad line, even after a good one") {
    l.with(std::string("a:") + kHex + "\n\nnonsense\nmore nonsense\n");
    const auto problem = l.problem();
    CHECK(problem.key == "psk_file");
    CHECK(problem.text == l.tls.psk_file + ", line 3: there is no colon in it; so are 1 more");
    CHECK(problem.hint == Contains("there are no comments"));
  }
  SUBCASE("an identity without a file") {
    l.tls.psk_identity = "robot";
    CHECK(l.problem().text == "tls.psk_identity needs tls.psk_file");
  }
}

TEST_CASE("a file of keys that everybody can read is worth a warning") {
  Loading l;
  l.with(std::string("a:") + kHex + "\n");
  REQUIRE(::chmod(l.tls.psk_file.c_str(), 0644) == 0);
  REQUIRE(l.load() != nullptr);
  REQUIRE(l.warnings.size() == 1);
  CHECK(l.warnings[0] == "tls.psk_file: everybody on this machine can read the keys in " +
                             l.tls.psk_file + "; chmod o-rwx " + l.tls.psk_file);
}

TEST_CASE("a key that ends in a blank is worth a warning") {
  Loading l;
  l.with(std::string("a:") + kHex + " \n");
  REQUIRE(l.load() != nullptr);
  REQUIRE(l.warnings.size() == 1);
  CHECK(l.warnings[0] == Contains(", line 1: blanks at the ends of a line are part of "));
}

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
