// SPDX-License-Identifier: MIT
// What a server sees of the client's certificate. How it is loaded: tests/keys.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include "fixture.h"

namespace tunnel::tls::client_certificate_test {

using namespace tunnel::test;
using namespace tunnel::tls::test;

namespace {

// A client with a certificate below an intermediate.
struct Robot : Fixture {
  Identity client_ca{{.common_name = "Client CA", .is_ca = true}};
  Identity intermediate{{.common_name = "Client Intermediate", .is_ca = true}, &client_ca};
  Identity robot{{.common_name = "robot", .purpose = GNUTLS_KP_TLS_WWW_CLIENT}, &intermediate};

  Robot() {
    tls.cert = secret("cert.pem", robot.pem());
    tls.key = secret("key.pem", robot.key_pem());
  }
  [[nodiscard]] std::string secret(const char* name, const std::string& content) const {
    const auto path = folder.write(name, content);
    REQUIRE(::chmod(path.c_str(), 0600) == 0);
    return path;
  }
};

}  // namespace

TEST_CASE("a server that asks is shown the certificate, whatever authorities it names") {
  Robot f;
  const Identity stranger({.common_name = "Stranger", .is_ca = true});
  f.options.request_certificate = true;
  for (const char* version : {"1.2", "1.3"}) {
    for (const Identity* named :
         std::initializer_list<const Identity*>{nullptr, &f.client_ca, &stranger}) {
      CAPTURE(version);
      f.options.priority = std::string("NORMAL:-VERS-ALL:+VERS-TLS") + version;
      f.options.client_ca = named;
      f.tls.cert = f.secret("chain.pem", f.robot.pem() + f.intermediate.pem());
      f.connect(byte_by_byte());
      REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
      CHECK(f.server().client_chain() ==
            std::vector<std::string>{f.robot.der(), f.intermediate.der()});
    }
  }
}

TEST_CASE("a server that does not ask sees no certificate") {
  Robot f;
  f.connect();
  REQUIRE(f.client().is_established());
  CHECK(f.server().client_chain().empty());
}

TEST_CASE("every kind of key signs") {
  for (const auto kind : {GNUTLS_PK_RSA, GNUTLS_PK_ECDSA, GNUTLS_PK_EDDSA_ED25519}) {
    for (const char* version : {"1.2", "1.3"}) {
      CAPTURE(std::string(gnutls_pk_get_name(kind)));
      CAPTURE(version);
      const bool is_eddsa = kind == GNUTLS_PK_EDDSA_ED25519;
      const Identity robot({.common_name = "robot",
                            .key = kind,
                            .bits = is_eddsa ? GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519) : 0U,
                            .digest = is_eddsa ? GNUTLS_DIG_SHA512 : GNUTLS_DIG_SHA256});
      Fixture f;
      f.options.request_certificate = true;
      f.options.priority = std::string("NORMAL:-VERS-ALL:+VERS-TLS") + version;
      f.tls.cert = f.folder.write("robot.pem", robot.pem() + robot.key_pem());
      f.connect();
      REQUIRE_MESSAGE(f.client().is_established(), f.failure().text);
      CHECK(f.server().client_chain() == std::vector<std::string>{robot.der()});
    }
  }
}

TEST_CASE("a refused certificate is named, with the reason") {
  Robot f;
  f.options.request_certificate = true;
  f.connect();
  REQUIRE(f.client().is_established());
  f.server().send_alert(GNUTLS_AL_FATAL, GNUTLS_A_UNKNOWN_CA);
  f.exchange();
  REQUIRE(f.client().has_failed());
  CHECK(word(f.failure().kind) == "client_cert_rejected");
  CHECK(f.failure().text ==
        "dc1.example.com:636 refused the client certificate CN=robot (" + f.tls.cert +
            ") with the alert unknown_ca (48): it does not trust the CA that issued it, or lacks a "
            "certificate between the two (tls.cert may hold those, too)");
}

}  // namespace tunnel::tls::client_certificate_test
