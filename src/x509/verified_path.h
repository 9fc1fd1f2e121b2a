// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <vector>

#include "x509/chain.h"
#include "x509/handles.h"

namespace tunnel::x509 {

// One verification of a chain by GnuTLS, and the way that it went: a server may show certificates
// in any order, and several of one name, so only GnuTLS knows which it has relied on. Lives as long
// as a verification; refers to the chain.
class VerifiedPath {
 public:
  // Judges trust, dates, strength and purpose, as GnuTLS does with these flags. An error of GnuTLS
  // (negative), or 0.
  int verify(const Chain& chain, gnutls_x509_trust_list_t anchors, unsigned flags);

  [[nodiscard]] unsigned status() const { return status_; }  // 0: trusted
  // When it is trusted: from the leaf to the anchor, the signature of each checked with the key of
  // the next. One alone: the leaf is itself an anchor.
  [[nodiscard]] const std::vector<gnutls_x509_crt_t>& certificates() const { return path_; }

  // What GnuTLS has looked at: a certificate, and the issuer that it took for it, or null.
  struct Step {
    gnutls_x509_crt_t certificate;
    gnutls_x509_crt_t issuer;
    unsigned status;
  };
  // Where it ended, when it is not trusted.
  [[nodiscard]] std::optional<Step> failed_step() const;

 private:
  static int record(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer, gnutls_x509_crl_t crl,
                    unsigned status);
  void note(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer, unsigned status);
  void find_path(gnutls_x509_crt_t leaf);

  const Chain* chain_ = nullptr;
  unsigned status_ = 0;
  std::vector<Step> steps_;
  std::vector<Certificate> anchors_;  // copies: GnuTLS may have fetched them for the occasion
  std::vector<gnutls_x509_crt_t> path_;
};

}  // namespace tunnel::x509
