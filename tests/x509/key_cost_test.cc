// SPDX-License-Identifier: MIT
#include "x509/key_cost.h"

#include <doctest/doctest.h>

#include "support/pki.h"

using namespace tunnel::test;
using namespace tunnel::x509;

TEST_CASE("usual keys are not costly") {
  for (const auto algorithm : {GNUTLS_PK_RSA, GNUTLS_PK_ECDSA}) {
    const Identity identity({.key = algorithm});
    CHECK(costly_key(identity.der()) == "");
  }
}

TEST_CASE("the bounds of RSA keys are what the sentence says") {
  const Identity ca({.is_ca = true});
  const auto judge = [&ca](unsigned modulus, unsigned exponent) {
    return costly_key(Identity({.modulus = modulus, .exponent = exponent}, &ca).der());
  };
  CHECK(judge(16384, 64) == "");
  CHECK(judge(16384, 65) == "has an RSA key with an exponent of 65 bits");
  CHECK(judge(16385, 3) == "has a 16385-bit RSA key");
  CHECK(judge(65536, 65535) == "has a 65536-bit RSA key");
}

TEST_CASE("what is not a certificate has no costly key, wherever it is cut or changed") {
  const Identity ca({.is_ca = true});
  const auto whole = Identity({.modulus = 20000, .exponent = 17}, &ca).der();
  CHECK(costly_key("") == "");
  CHECK(costly_key("certainly not DER") == "");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK(costly_key(std::string_view(whole).substr(0, size)) == "");
  }
  for (std::size_t at = 0; at < 200; ++at) {
    auto changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x81);
    (void)costly_key(changed);  // says anything, but touches nothing that is not there
  }
}

TEST_CASE("a certificate that is not in the strictest DER is read by GnuTLS, or not at all") {
  const Identity ca({.is_ca = true});
  auto der = Identity({.modulus = 20000, .exponent = 17}, &ca).der();
  // The outermost length with a leading zero: 30 82 xx xx becomes 30 83 00 xx xx.
  REQUIRE(static_cast<unsigned char>(der[1]) == 0x82);
  der[1] = static_cast<char>(0x83);
  der.insert(2, 1, '\0');
  gnutls_x509_crt_t raw = nullptr;
  REQUIRE(gnutls_x509_crt_init(&raw) == 0);
  const Certificate owner(raw);
  const auto datum = lend(der);
  const bool is_readable = gnutls_x509_crt_import(raw, &datum, GNUTLS_X509_FMT_DER) == 0;
  CHECK((costly_key(der) != "") == is_readable);
}
