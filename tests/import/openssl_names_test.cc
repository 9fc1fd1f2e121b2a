// SPDX-License-Identifier: MIT
#include "import/openssl_names.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "import/openssl_ciphers.h"

// How a list is evaluated is compared with OpenSSL itself (compare_openssl.py); here is what
// becomes of it.
namespace tunnel::import {
namespace {

using Names = std::vector<std::string>;
using Settings = std::vector<OpensslSetting>;
using Severity = OpensslNote::Severity;

OpensslTranslation translate(const Settings& settings,
                             OpensslProof proof = OpensslProof::certificates) {
  return translate_openssl(settings, proof);
}

// "0 warning: text", one line each.
std::string notes_of(const OpensslTranslation& result) {
  std::string text;
  for (const OpensslNote& note : result.notes) {
    const char* word = note.severity == Severity::error     ? "error"
                       : note.severity == Severity::warning ? "warning"
                                                            : "notice";
    text += std::to_string(note.setting) + " " + word + ": " + note.text + "\n";
  }
  return text;
}

bool contains(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

const Names kTls13 = {"TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256",
                      "TLS_CHACHA20_POLY1305_SHA256"};

Names after_tls13(const Names& names) {
  Names all = kTls13;
  all.insert(all.end(), names.begin(), names.end());
  return all;
}

}  // namespace

TEST_CASE("nothing set is stunnel's own lists, without a word") {
  const auto result = translate({});
  CHECK(notes_of(result) == "");
  const auto written = translate({
      {"ciphers", "HIGH:!aNULL:!SSLv2:!DH:!kDHEPSK"},
      {"ciphersuites",
       "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"},
      {"curves", "X25519:P-256:X448:P-521:P-384"},
      {"sslVersion", "all"},
      {"securityLevel", "2"},
  });
  CHECK(notes_of(written) == "");
  CHECK(result.ciphers == written.ciphers);
  CHECK(result.groups == Names{"x25519", "secp256r1", "x448", "secp521r1", "secp384r1"});
  CHECK(result.groups == written.groups);
  CHECK_FALSE(result.min_version);
  CHECK_FALSE(result.min_strength);
  CHECK(Names(result.ciphers.begin(), result.ciphers.begin() + 3) == kTls13);
  // What a list of our own would not have: no ephemeral keys, and CBC with SHA-1.
  for (const char* name :
       {"TLS_RSA_WITH_AES_256_GCM_SHA384", "TLS_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "TLS_RSA_WITH_AES_256_CBC_SHA256"}) {
    CHECK_MESSAGE(contains(result.ciphers, name), name);
  }
  for (const std::string& name : result.ciphers) {
    CHECK_MESSAGE(name.find("_DHE_") == std::string::npos, name);
    CHECK_MESSAGE(name.find("PSK") == std::string::npos, name);
  }
  CHECK(translate({{"ciphers", "PROFILE=SYSTEM"}}).ciphers == result.ciphers);
  CHECK(translate({{"curves", "X25519MLKEM768:X25519:P-256:X448:P-521:P-384"}}).groups ==
        result.groups);
}

TEST_CASE("stunnel's own list has suites for TLS 1.0 and for pre-shared keys") {
  const auto old = translate({{"sslVersion", "TLSv1"}});
  CHECK(contains(old.ciphers, "TLS_RSA_WITH_AES_128_CBC_SHA"));
  CHECK_FALSE(contains(old.ciphers, "TLS_RSA_WITH_AES_128_CBC_SHA256"));
  CHECK_FALSE(contains(old.ciphers, "TLS_AES_128_GCM_SHA256"));

  const auto psk = translate({}, OpensslProof::psk);
  CHECK(contains(psk.ciphers, "TLS_PSK_WITH_AES_128_GCM_SHA256"));
  CHECK(contains(psk.ciphers, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256"));
  CHECK_FALSE(contains(psk.ciphers, "TLS_RSA_WITH_AES_128_CBC_SHA"));
  CHECK_FALSE(contains(psk.ciphers, "TLS_RSA_PSK_WITH_AES_128_GCM_SHA256"));
  const auto both = translate({}, OpensslProof::both);
  CHECK(contains(both.ciphers, "TLS_PSK_WITH_AES_128_GCM_SHA256"));
  CHECK(contains(both.ciphers, "TLS_RSA_PSK_WITH_AES_128_GCM_SHA256"));
  CHECK(contains(both.ciphers, "TLS_RSA_WITH_AES_128_CBC_SHA"));
}

TEST_CASE("suites that need another proof than there is leave TLS 1.3, with a warning") {
  const auto result = translate({{"ciphers", "ECDHE-RSA-AES128-GCM-SHA256"}}, OpensslProof::psk);
  CHECK(result.ciphers == kTls13);
  CHECK(notes_of(result) ==
        "0 warning: these suites need a certificate, and only a pre-shared key is trusted: none "
        "before TLS 1.3 is offered\n");
  CHECK(translate({{"ciphers", "PSK-AES128-GCM-SHA256"}}).ciphers == kTls13);
}

TEST_CASE("ciphers is for TLS 1.2 and older, ciphersuites for TLS 1.3: neither narrows the other") {
  CHECK(translate({{"ciphers", "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305"}})
            .ciphers == after_tls13({"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                                     "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"}));
  CHECK(translate({{"ciphers", "ECDHE-RSA-AES256-SHA384"}}).ciphers ==
        after_tls13({"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"}));
  const auto usual = translate({}).ciphers;
  auto result = translate({{"ciphersuites", "TLS_AES_128_GCM_SHA256"}});
  CHECK(notes_of(result) == "");
  CHECK(result.ciphers.front() == "TLS_AES_128_GCM_SHA256");
  CHECK(Names(result.ciphers.begin() + 1, result.ciphers.end()) ==
        Names(usual.begin() + 3, usual.end()));
}

TEST_CASE("the last setting of a key holds, whatever its case") {
  const auto result = translate({{"ciphers", "AES128-SHA"}, {"CIPHERS", "AES256-SHA"}});
  CHECK(result.ciphers == after_tls13({"TLS_RSA_WITH_AES_256_CBC_SHA"}));
}

TEST_CASE("suites that cannot be spoken are left out, and named when they were asked for") {
  SUBCASE("one among others") {
    const auto result = translate({{"ciphers", "ECDHE-ARIA256-GCM-SHA384:AES128-SHA:RC4-SHA:FOO"}});
    CHECK(result.ciphers == after_tls13({"TLS_RSA_WITH_AES_128_CBC_SHA"}));
    CHECK(notes_of(result) ==
          "0 warning: not known, and not offered: FOO\n"
          "0 warning: GnuTLS has no counterpart, or it is too weak, and it is not offered: "
          "RC4-SHA, ECDHE-ARIA256-GCM-SHA384\n");
  }
  SUBCASE("those that an alias brings along are no news") {
    const auto result =
        translate({{"ciphers", "HIGH:!aNULL:MEDIUM:!RC4:!3DES:!EXP:!KRB5-DES-CBC3-SHA"}});
    CHECK(contains(result.ciphers, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
    CHECK(notes_of(result) == "");
  }
  SUBCASE("anonymous suites and those without encryption are never offered") {
    const auto result = translate({{"ciphers", "ALL:COMPLEMENTOFALL:aNULL:eNULL"}});
    for (const std::string& name : result.ciphers) {
      CAPTURE(name);
      CHECK(name.find("anon") == std::string::npos);
      CHECK(name.find("NULL") == std::string::npos);
      CHECK(name.find("DSS") == std::string::npos);
    }
    CHECK(notes_of(result) ==
          "0 warning: GnuTLS has no counterpart, or it is too weak, and it is not offered: "
          "COMPLEMENTOFALL, aNULL, eNULL\n");
  }
}

TEST_CASE("an exclusion that is not understood is a warning: it may have meant something") {
  const auto result = translate({{"ciphers", "HIGH:!aNULL:!kNEWKX:-WHATEVER"}});
  CHECK(notes_of(result) ==
        "0 warning: not known, so what it should exclude may still be offered: kNEWKX, WHATEVER\n");
}

TEST_CASE("a list that maps to nothing is an error") {
  for (const char* list : {"", "RC4-SHA", "ADH", "eNULL", "ECDHE-ARIA256-GCM-SHA384", "!ALL:ALL"}) {
    CAPTURE(list);
    CHECK(translate({{"ciphers", list}}).has_errors());
  }
  CHECK(translate({{"ciphersuites", "TLS_FOO"}}).has_errors());
  CHECK(translate({{"curves", "secp256k1"}}).has_errors());
  CHECK(translate({{"curves", ""}}).has_errors());
  // TLS 1.3's suites are no part of this list, as in OpenSSL.
  const auto result = translate({{"ciphers", "TLS_AES_128_GCM_SHA256"}});
  CHECK(result.has_errors());
  CHECK(notes_of(result) ==
        "0 notice: cipher suites of TLS 1.3 have no effect in this list: TLS_AES_128_GCM_SHA256\n"
        "0 error: no cipher suite is left of this list that can be offered\n");
}

TEST_CASE("a mistake in a list is an error that shows where") {
  CHECK(notes_of(translate({{"ciphers", "HIGH:*"}})) ==
        "0 error: this is not an OpenSSL cipher list: a name was expected at \"*\"\n");
  CHECK(notes_of(translate({{"ciphers", "HIGH:@SECLEVEL=7"}})) ==
        "0 error: this is not an OpenSSL cipher list: \"@SECLEVEL=7\" is not a command; there are "
        "@STRENGTH and @SECLEVEL=0 to 5\n");
  CHECK(translate({{"ciphers", "SUITEB128"}}).has_errors());
}

TEST_CASE("groups become IANA's, once each; those that GnuTLS lacks are named") {
  const auto result = translate(
      {{"curves", "X25519:P-256:prime256v1:secp384r1:X448:P-521:ffdhe2048:brainpoolP256r1:foo"}});
  CHECK(result.groups ==
        Names{"x25519", "secp256r1", "secp384r1", "x448", "secp521r1", "ffdhe2048"});
  CHECK(notes_of(result) ==
        "0 warning: too weak, or not in GnuTLS, and not offered: brainpoolP256r1\n"
        "0 warning: not known, and not offered: foo\n");
  CHECK(translate({{"curve", "P-384"}}).groups == Names{"secp384r1"});
  CHECK(translate_openssl_groups("?X25519MLKEM768:*X25519").unsupported.empty());
}

TEST_CASE("sslVersion and its bounds follow their order") {
  using V = config::TlsVersion;
  struct Case {
    Settings settings;
    std::optional<V> min, max;
  };
  const Case cases[] = {
      {{{"sslVersion", "TLSv1.3"}}, V::tls1_3, {}},
      {{{"sslVersion", "tlsv1.2"}}, {}, V::tls1_2},
      {{{"sslVersion", "TLSv1"}}, V::tls1_0, V::tls1_0},
      {{{"sslVersionMin", "TLSv1"}}, V::tls1_0, {}},
      {{{"sslVersionMin", "SSLv3"}}, V::tls1_0, {}},
      {{{"sslVersionMax", "TLSv1.2"}}, {}, V::tls1_2},
      {{{"sslVersionMax", "TLSv1.1"}}, V::tls1_0, V::tls1_1},
      {{{"sslVersion", "TLSv1.3"}, {"sslVersionMin", "all"}}, {}, {}},
      {{{"sslVersionMin", "TLSv1.3"}, {"sslVersion", "all"}}, {}, {}},
      {{{"config", "MinProtocol:TLSv1.3"}, {"sslVersionMin", "TLSv1"}}, V::tls1_3, {}},
      {{{"sslVersionMax", "TLSv1.2"}, {"config", "MaxProtocol:None"}}, {}, {}},
      {{{"options", "NO_TLSv1_3"}}, {}, V::tls1_2},
      {{{"options", "no_tlsv1_2"}}, V::tls1_3, {}},
      {{{"options", "NO_TLSv1"}, {"options", "NO_TLSv1_1"}, {"options", "NO_SSLv3"}}, {}, {}},
      {{{"options", "NO_TLSv1_3"}, {"options", "-NO_TLSv1_3"}}, {}, {}},
      {{{"options", "-NO_TLSv1_3"}, {"options", "NO_TLSv1_3"}}, {}, {}},
      {{{"options", "NO_TLSv1_3"}, {"config", "Protocol:ALL"}}, {}, {}},
      {{{"config", "Protocol:ALL,-TLSv1.3"}}, {}, V::tls1_2},
      {{{"options", "NO_TLSv1_3"}, {"options", "NO_TLSv1_2"}}, V::tls1_0, V::tls1_1},
  };
  for (const Case& c : cases) {
    CAPTURE(c.settings[0].key);
    CAPTURE(c.settings[0].value);
    const auto result = translate(c.settings);
    CHECK(notes_of(result).find("error") == std::string::npos);
    CHECK(result.min_version == c.min);
    CHECK(result.max_version == c.max);
  }
}

TEST_CASE("a gap in the versions gives up the older ones, never opens one") {
  const auto result = translate({{"sslVersionMin", "TLSv1.1"}, {"options", "NO_TLSv1_2"}});
  CHECK(result.min_version == config::TlsVersion::tls1_3);
  CHECK(result.max_version == std::nullopt);
  CHECK(notes_of(result) ==
        "1 warning: a version in the middle is switched off: of those that are left, only the "
        "newer ones are spoken\n");
}

TEST_CASE("versions that nothing is left of are errors") {
  CHECK(translate({{"sslVersionMin", "TLSv1.3"}, {"sslVersionMax", "TLSv1.2"}}).has_errors());
  CHECK(translate({{"sslVersion", "TLSv1.3"}, {"options", "NO_TLSv1_3"}}).has_errors());
  CHECK(translate({{"sslVersion", "SSLv3"}}).has_errors());
  CHECK(translate({{"sslVersion", "TLSv1.0"}}).has_errors());
  CHECK(translate({{"config", "Protocol:-ALL"}}).has_errors());
}

TEST_CASE("suites are only named for versions that are left") {
  CHECK(translate({{"sslVersion", "TLSv1.2"}, {"ciphers", "AES128-SHA"}}).ciphers ==
        Names{"TLS_RSA_WITH_AES_128_CBC_SHA"});
  CHECK(translate({{"sslVersion", "TLSv1.3"}, {"ciphers", "AES128-SHA"}}).ciphers == kTls13);
  CHECK(
      translate({{"sslVersionMax", "TLSv1.1"}, {"ciphers", "AES128-SHA:AES128-SHA256"}}).ciphers ==
      Names{"TLS_RSA_WITH_AES_128_CBC_SHA"});
  CHECK(translate({{"sslVersionMax", "TLSv1.1"}, {"ciphers", "AES128-SHA256"}}).has_errors());
  // Without a suite there is no TLS 1.3.
  const auto result = translate({{"ciphersuites", ""}});
  CHECK_FALSE(result.has_errors());
  CHECK_FALSE(contains(result.ciphers, "TLS_AES_128_GCM_SHA256"));
  CHECK(contains(result.ciphers, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
}

TEST_CASE("a lower security level lowers nothing, a higher one raises the strength") {
  const auto low = translate({{"securityLevel", "0"}});
  CHECK_FALSE(low.min_strength);
  CHECK(low.ciphers == translate({}).ciphers);
  CHECK(notes_of(low) ==
        "0 warning: security level 0 is not lowered to: keys and signatures of less than 112 bits "
        "are still refused\n");

  const auto high = translate({{"securityLevel", "3"}, {"ciphers", "kRSA:kECDHE+AESGCM:!aNULL"}});
  CHECK(high.min_strength == config::MinStrength::bits128);
  CHECK(high.no_resumption);
  CHECK_FALSE(contains(high.ciphers, "TLS_RSA_WITH_AES_128_CBC_SHA"));
  CHECK(contains(high.ciphers, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));

  const auto higher = translate({{"ciphers", "HIGH:@SECLEVEL=4"}, {"securityLevel", "1"}});
  CHECK(higher.min_strength == config::MinStrength::bits192);
  CHECK_FALSE(contains(higher.ciphers, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
  CHECK(translate({{"securityLevel", "5"}}).min_strength == config::MinStrength::bits256);
  CHECK(translate({{"securityLevel", "6"}}).has_errors());
  CHECK(translate({{"securityLevel", "2x"}}).has_errors());

  const auto old = translate({{"securityLevel", "3"}, {"sslVersionMin", "TLSv1"}});
  CHECK(old.min_version == std::nullopt);
}

TEST_CASE(
    "options: one that is not known is an error with a guess, the others say what they mean") {
  const auto result = translate({{"options", "NO_TICKET"},
                                 {"options", "NO_SSLv2"},
                                 {"options", "CIPHER_SERVER_PREFERENCE"},
                                 {"options", "ALL"},
                                 {"options", "ALLOW_UNSAFE_LEGACY_RENEGOTIATION"},
                                 {"options", "NO_TLS1_3"}});
  CHECK(result.no_resumption);
  CHECK(notes_of(result) ==
        "0 notice: NO_TICKET switches resumption off, which lives on tickets here\n"
        "1 notice: NO_SSLv2 always holds here\n"
        "2 notice: CIPHER_SERVER_PREFERENCE means something for servers only\n"
        "3 notice: ALL has no meaning here: it is about OpenSSL and its workarounds\n"
        "4 notice: ALLOW_UNSAFE_LEGACY_RENEGOTIATION is not done here: it would weaken the "
        "connection\n"
        "5 error: \"NO_TLS1_3\" is not an option of OpenSSL\n");
  CHECK(result.notes.back().hint == "did you mean \"NO_TLSv1_3\"?");
}

TEST_CASE("config: commands come last, those without a counterpart are errors") {
  CHECK(translate({{"config", "CipherString:AES256-SHA"}, {"ciphers", "AES128-SHA"}}).ciphers ==
        after_tls13({"TLS_RSA_WITH_AES_256_CBC_SHA"}));
  CHECK(translate({{"config", "Ciphersuites:TLS_AES_256_GCM_SHA384"},
                   {"config", "CipherString:AES256-SHA"}})
            .ciphers == Names{"TLS_AES_256_GCM_SHA384", "TLS_RSA_WITH_AES_256_CBC_SHA"});
  CHECK(translate({{"config", "Groups:P-384"}}).groups == Names{"secp384r1"});
  CHECK(translate({{"curves", "P-256"}, {"config", "Groups:P-384"}}).groups == Names{"secp256r1"});
  CHECK(translate({{"config", "Options:-SessionTicket,Bugs"}}).no_resumption);
  CHECK(translate({{"config", "Options:Foo"}}).has_errors());
  CHECK(translate({{"config", "SignatureAlgorithms:RSA+SHA512"}}).has_errors());
  CHECK(translate({{"config", "VerifyCAFile:/etc/ca.pem"}}).has_errors());
  CHECK(translate({{"config", "MinProtocol"}}).has_errors());
  CHECK(translate({{"config", "MinProtocol:all"}}).has_errors());
}

}  // namespace tunnel::import
