// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "tls/handles.h"

namespace tunnel::tls {

// The certificates that a server showed, in its order; the first is its own. Lives for one
// verification.
class Chain {
 public:
  // Takes them from the handshake in progress. Empty when there is none, or one is no certificate.
  explicit Chain(gnutls_session_t session);

  [[nodiscard]] bool empty() const { return certificates_.empty(); }
  [[nodiscard]] gnutls_x509_crt_t leaf() const { return certificates_.front().get(); }
  [[nodiscard]] std::size_t size() const { return certificates_.size(); }
  // For GnuTLS, which may reorder it.
  [[nodiscard]] std::vector<gnutls_x509_crt_t> pointers() const;

  // From the leaf upwards, each with its issuer after it, as far as issuers are found among the
  // anchors or in the chain; a signature between two of them has been checked, their dates and
  // strength have not. What is cheap enough only when something has to be explained or looked up.
  [[nodiscard]] std::vector<gnutls_x509_crt_t> path(gnutls_x509_trust_list_t anchors) const;

 private:
  [[nodiscard]] gnutls_x509_crt_t issuer_in_chain(gnutls_x509_crt_t crt) const;

  std::vector<Certificate> certificates_;
};

// Whether its issuer is itself.
[[nodiscard]] bool is_self_issued(gnutls_x509_crt_t crt);
// Whether the key of `issuer` made the signature of `crt`, whatever else may be wrong with them.
[[nodiscard]] bool has_signed(gnutls_x509_crt_t issuer, gnutls_x509_crt_t crt);

}  // namespace tunnel::tls
