// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "x509/handles.h"

namespace tunnel::x509 {

// The certificates that a server showed, in its order; the first is its own. Lives for one
// verification.
class Chain {
 public:
  // Takes them from the handshake in progress. Empty when there is none, one is no certificate, or
  // there are more than may be shown.
  explicit Chain(gnutls_session_t session);

  [[nodiscard]] bool empty() const { return certificates_.empty(); }
  [[nodiscard]] gnutls_x509_crt_t leaf() const { return certificates_.front().get(); }
  [[nodiscard]] std::size_t size() const { return certificates_.size(); }
  // For GnuTLS, which may reorder it.
  [[nodiscard]] std::vector<gnutls_x509_crt_t> pointers() const;

  // From the leaf upwards, each followed by one that bears the name of its issuer, as far as there
  // are such ones among the anchors or in the chain. For sentences only: names are cheap, and prove
  // nothing.
  [[nodiscard]] std::vector<gnutls_x509_crt_t> path_of_names(
      gnutls_x509_trust_list_t anchors) const;
  // One that bears the name of the issuer; null when there is none.
  [[nodiscard]] gnutls_x509_crt_t named_issuer(gnutls_x509_crt_t crt) const;

 private:
  std::vector<Certificate> certificates_;
};

// The anchor that bears the name of the issuer; null when there is none.
[[nodiscard]] gnutls_x509_crt_t anchor_above(gnutls_x509_trust_list_t anchors,
                                             gnutls_x509_crt_t crt);
// Whether it names itself as its issuer.
[[nodiscard]] bool is_self_issued(gnutls_x509_crt_t crt);
// Whether the key of `issuer` made the signature of `crt`, whatever else may be wrong with them:
// costs a signature check.
[[nodiscard]] bool has_signed(gnutls_x509_crt_t issuer, gnutls_x509_crt_t crt);

}  // namespace tunnel::x509
