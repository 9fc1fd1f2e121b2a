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

// The deleter of an object with one of GnuTLS's functions.
template <auto function>
struct Free {
  template <class T>
  void operator()(T* object) const {
    function(object);
  }
};

using Certificate = std::unique_ptr<gnutls_x509_crt_int, Free<&gnutls_x509_crt_deinit>>;
using PublicKey = std::unique_ptr<gnutls_pubkey_st, Free<&gnutls_pubkey_deinit>>;
using CrlHandle = std::unique_ptr<gnutls_x509_crl_int, Free<&gnutls_x509_crl_deinit>>;
using OcspResponse = std::unique_ptr<gnutls_ocsp_resp_int, Free<&gnutls_ocsp_resp_deinit>>;
using TlsFeatures =
    std::unique_ptr<gnutls_x509_tlsfeatures_st, Free<&gnutls_x509_tlsfeatures_deinit>>;

struct FreeTrustList {
  // The list owns the certificates in it.
  void operator()(gnutls_x509_trust_list_t list) const { gnutls_x509_trust_list_deinit(list, 1); }
};
using TrustListHandle = std::unique_ptr<gnutls_x509_trust_list_st, FreeTrustList>;

[[nodiscard]] inline std::string_view view_of(const gnutls_datum_t& datum) {
  return {reinterpret_cast<const char*>(datum.data), datum.size};
}

// Memory that GnuTLS allocated for us.
class Datum {
 public:
  Datum() = default;
  ~Datum() { gnutls_free(datum_.data); }
  Datum(const Datum&) = delete;
  Datum& operator=(const Datum&) = delete;

  [[nodiscard]] gnutls_datum_t* get() { return &datum_; }
  [[nodiscard]] std::string_view view() const { return view_of(datum_); }

 private:
  gnutls_datum_t datum_{};
};

// Memory of ours, lent to GnuTLS for reading.
[[nodiscard]] inline gnutls_datum_t lend(std::string_view bytes) {
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data())),
          static_cast<unsigned>(bytes.size())};
}

}  // namespace tunnel::x509
