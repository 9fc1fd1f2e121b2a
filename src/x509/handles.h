// SPDX-License-Identifier: MIT
// GnuTLS's objects as owners: construct, move, release, done. Seen by x509, keys and tls only; each
// has those that only it needs in a handles.h of its own.
#pragma once

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/ocsp.h>
#include <gnutls/x509.h>

#include <memory>
#include <string_view>

#include "base/bytes.h"

namespace tunnel::x509 {

struct FreeCertificate {
  void operator()(gnutls_x509_crt_t crt) const { gnutls_x509_crt_deinit(crt); }
};
using Certificate = std::unique_ptr<gnutls_x509_crt_int, FreeCertificate>;

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

}  // namespace tunnel::x509
