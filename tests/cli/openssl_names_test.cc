// SPDX-License-Identifier: MIT
// What is made of OpenSSL's names against what GnuTLS offers: the import room knows neither the
// library nor the room that does.
#include "import/openssl_names.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "import/openssl_ciphers.h"
#include "tls/offer.h"
#include "tls/suites.h"

namespace tunnel::import {
namespace {

std::string problems_of(const config::Tls& tls) {
  x509::Problems problems;
  (void)tls::make_offer(tls, problems);
  std::string text;
  for (const x509::Problem& problem : problems.errors()) text += problem.text + "\n";
  return text;
}

std::set<std::string> known_suites() {
  std::set<std::string> names;
  for (const tls::Suite& suite : tls::known_suites()) names.insert(suite.name);
  return names;
}

}  // namespace

TEST_CASE("every suite of OpenSSL's that counts as spoken can be offered, alone") {
  const auto known = known_suites();
  for (const OpensslSuite& suite : openssl_suites()) {
    CAPTURE(suite.name);
    config::Tls tls;
    tls.min_version = config::TlsVersion::tls1_0;
    tls.ciphers = {std::string(suite.iana)};
    if (suite.spoken) {
      CHECK(problems_of(tls) == "");
    } else {
      CHECK_FALSE(known.contains(std::string(suite.iana)));
    }
  }
}

TEST_CASE("every group that a curve is translated to can be offered") {
  const auto groups = translate_openssl_groups(
      "X25519:X448:P-224:P-256:P-384:P-521:ffdhe2048:ffdhe3072:ffdhe4096:ffdhe6144:ffdhe8192");
  CHECK(groups.names.size() == 11);
  config::Tls tls;
  tls.groups = groups.names;
  CHECK(problems_of(tls) == "");
}

TEST_CASE("every suite of TLS 1.3 that is translated can be offered") {
  const auto suites = translate_openssl_ciphersuites(
      "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:"
      "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256");
  CHECK(suites.names.size() == 5);
  config::Tls tls;
  tls.ciphers = suites.names;
  CHECK(problems_of(tls) == "");
}

TEST_CASE("stunnel's own list can be offered, with certificates and with pre-shared keys") {
  for (const auto proof : {OpensslProof::certificates, OpensslProof::psk, OpensslProof::both}) {
    for (const char* version : {"all", "TLSv1", "TLSv1.2", "TLSv1.3"}) {
      CAPTURE(static_cast<int>(proof));
      CAPTURE(version);
      const std::vector<OpensslSetting> settings = {{"sslVersion", version}};
      const auto translation = translate_openssl(settings, proof);
      CHECK_FALSE(translation.has_errors());
      config::Tls tls;
      translation.apply(tls);
      CHECK(problems_of(tls) == "");
    }
  }
}

TEST_CASE("lists that people write can be offered at every security level and version") {
  for (const char* list : {"HIGH", "HIGH:!aNULL", "ALL:!aNULL:@STRENGTH", "DEFAULT:!SHA1",
                           "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20",
                           "FIPS:!DH:!kDHEPSK", "ECDHE-RSA-AES256-GCM-SHA384"}) {
    for (const char* level : {"0", "1", "2", "3", "4", "5"}) {
      for (const char* version : {"all", "TLSv1.2", "TLSv1.3"}) {
        CAPTURE(list);
        CAPTURE(level);
        CAPTURE(version);
        const std::vector<OpensslSetting> settings = {
            {"ciphers", list}, {"securityLevel", level}, {"sslVersion", version}};
        const auto translation = translate_openssl(settings);
        CHECK_FALSE(translation.has_errors());
        config::Tls tls;
        translation.apply(tls);
        CHECK(problems_of(tls) == "");
      }
    }
  }
}

}  // namespace tunnel::import
