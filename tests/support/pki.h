// SPDX-License-Identifier: MIT
// Certificates and CRLs made on the fly, good and bad.
#pragma once

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509-ext.h>
#include <gnutls/x509.h>

#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "x509/handles.h"

namespace tunnel::test {

struct FreeKey {
  void operator()(gnutls_x509_privkey_t key) const { gnutls_x509_privkey_deinit(key); }
};
using Key = std::unique_ptr<gnutls_x509_privkey_int, FreeKey>;

constexpr std::time_t kDay = 86400;

// What a certificate should say. Times are relative to now.
struct Subject {
  std::string common_name = "server";
  std::vector<std::string> dns = {}, ip = {}, email = {}, uri = {};
  bool is_ca = false;
  std::time_t valid_from = -kDay;
  std::time_t valid_until = 30 * kDay;
  gnutls_pk_algorithm_t key = GNUTLS_PK_ECDSA;
  unsigned bits = 0;  // 0: P-256, or RSA 2048
  gnutls_digest_algorithm_t digest = GNUTLS_DIG_SHA256;
  const char* purpose = GNUTLS_KP_TLS_WWW_SERVER;  // nullptr: no extended key usage
  bool must_staple = false;
  unsigned key_usage = 0;  // 0: what a certificate of its kind needs
  // An RSA key of these sizes, in bits, in place of its own: random numbers that nobody has the
  // private half of.
  unsigned modulus = 0, exponent = 17;
};

// A certificate with its key and those above it.
class Identity {
 public:
  // Signed by `issuer`, or by itself.
  explicit Identity(const Subject& subject, const Identity* issuer = nullptr);
  // With the key of another.
  Identity(const Subject& subject, const Identity* issuer, const Identity& key_of);

  [[nodiscard]] gnutls_x509_crt_t certificate() const { return certificate_.get(); }
  [[nodiscard]] gnutls_x509_privkey_t key() const { return key_.get(); }
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] std::string der() const;
  [[nodiscard]] std::string key_pem() const;

 private:
  void make(const Subject& subject, const Identity* issuer);

  Key key_;
  x509::Certificate certificate_;
};

struct CrlSpec {
  std::string first_serial = {};  // of an entry before those
  std::vector<const Identity*> revoked = {};
  std::time_t this_update = -kDay;
  std::time_t next_update = kDay;
};
// A CRL in PEM. `signer` may be somebody else than the `issuer` whose name is on it.
[[nodiscard]] std::string make_crl(const Identity& issuer, const CrlSpec& spec);

}  // namespace tunnel::test
