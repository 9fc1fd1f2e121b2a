// SPDX-License-Identifier: MIT
// GnuTLS's objects as owners: construct, move, release, done. Included by the sources of this room
// only.
#pragma once

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/ocsp.h>
#include <gnutls/x509.h>

#include <memory>
#include <string_view>

#include "base/bytes.h"

namespace tunnel::tls {

struct FreeCertificate {
  void operator()(gnutls_x509_crt_t crt) const { gnutls_x509_crt_deinit(crt); }
};
using Certificate = std::unique_ptr<gnutls_x509_crt_int, FreeCertificate>;

struct FreePrivateKey {
  void operator()(gnutls_privkey_t key) const { gnutls_privkey_deinit(key); }
};
using PrivateKey = std::unique_ptr<gnutls_privkey_st, FreePrivateKey>;

struct FreePublicKey {
  void operator()(gnutls_pubkey_t key) const { gnutls_pubkey_deinit(key); }
};
using PublicKey = std::unique_ptr<gnutls_pubkey_st, FreePublicKey>;

struct FreeCrl {
  void operator()(gnutls_x509_crl_t crl) const { gnutls_x509_crl_deinit(crl); }
};
using CrlHandle = std::unique_ptr<gnutls_x509_crl_int, FreeCrl>;

struct FreeTrustList {
  // The list owns the certificates in it.
  void operator()(gnutls_x509_trust_list_t list) const { gnutls_x509_trust_list_deinit(list, 1); }
};
using TrustListHandle = std::unique_ptr<gnutls_x509_trust_list_st, FreeTrustList>;

struct FreeOcspResponse {
  void operator()(gnutls_ocsp_resp_t response) const { gnutls_ocsp_resp_deinit(response); }
};
using OcspResponse = std::unique_ptr<gnutls_ocsp_resp_int, FreeOcspResponse>;

struct FreeTlsFeatures {
  void operator()(gnutls_x509_tlsfeatures_t features) const {
    gnutls_x509_tlsfeatures_deinit(features);
  }
};
using TlsFeatures = std::unique_ptr<gnutls_x509_tlsfeatures_st, FreeTlsFeatures>;

struct FreePriority {
  void operator()(gnutls_priority_t priority) const { gnutls_priority_deinit(priority); }
};
using PriorityHandle = std::unique_ptr<gnutls_priority_st, FreePriority>;

struct FreeCredentials {
  void operator()(gnutls_certificate_credentials_t credentials) const {
    gnutls_certificate_free_credentials(credentials);
  }
};
using Credentials = std::unique_ptr<gnutls_certificate_credentials_st, FreeCredentials>;

struct FreePskCredentials {
  void operator()(gnutls_psk_client_credentials_t credentials) const {
    gnutls_psk_free_client_credentials(credentials);
  }
};
using PskCredentials = std::unique_ptr<gnutls_psk_client_credentials_st, FreePskCredentials>;

struct FreeSession {
  void operator()(gnutls_session_t session) const { gnutls_deinit(session); }
};
using SessionHandle = std::unique_ptr<gnutls_session_int, FreeSession>;

// Memory that GnuTLS allocated for us.
class Datum {
 public:
  Datum() = default;
  ~Datum() { gnutls_free(datum_.data); }
  Datum(const Datum&) = delete;
  Datum& operator=(const Datum&) = delete;

  [[nodiscard]] gnutls_datum_t* get() { return &datum_; }
  [[nodiscard]] std::string_view view() const {
    return {reinterpret_cast<const char*>(datum_.data), datum_.size};
  }

 private:
  gnutls_datum_t datum_{};
};

// Memory of ours, lent to GnuTLS for reading.
[[nodiscard]] inline gnutls_datum_t lend(std::string_view bytes) {
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data())),
          static_cast<unsigned>(bytes.size())};
}

}  // namespace tunnel::tls
