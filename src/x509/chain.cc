// SPDX-License-Identifier: MIT
#include "x509/chain.h"

#include <algorithm>

#include "x509/shown_certificates.h"

namespace tunnel::x509 {

bool has_signed(gnutls_x509_crt_t issuer, gnutls_x509_crt_t crt) {
  // The signature alone is asked about: an issuer that has expired, is not a CA or signs weakly has
  // signed all the same.
  constexpr unsigned kFlags = GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_CA_SIGN |
                              GNUTLS_VERIFY_ALLOW_BROKEN | GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1 |
                              GNUTLS_VERIFY_IGNORE_UNKNOWN_CRIT_EXTENSIONS;
  unsigned status = 0;
  if (gnutls_x509_crt_verify(crt, &issuer, 1, kFlags, &status) < 0) return false;
  return (status & (GNUTLS_CERT_SIGNATURE_FAILURE | GNUTLS_CERT_SIGNER_NOT_FOUND)) == 0;
}

bool is_self_issued(gnutls_x509_crt_t crt) { return gnutls_x509_crt_check_issuer(crt, crt) != 0; }

gnutls_x509_crt_t anchor_above(gnutls_x509_trust_list_t anchors, gnutls_x509_crt_t crt) {
  gnutls_x509_crt_t issuer = nullptr;
  if (anchors == nullptr || gnutls_x509_trust_list_get_issuer(anchors, crt, &issuer, 0) < 0) {
    return nullptr;
  }
  return issuer;  // the list's
}

Chain::Chain(gnutls_session_t session) {
  unsigned count = 0;
  const gnutls_datum_t* raw = gnutls_certificate_get_peers(session, &count);
  if (count > kMaxShown) return;  // was refused at sight; GnuTLS has room for no more
  for (unsigned i = 0; raw != nullptr && i < count; ++i) {
    gnutls_x509_crt_t crt = nullptr;
    bool good = gnutls_x509_crt_init(&crt) == 0;
    if (good) certificates_.emplace_back(crt);
    good = good && gnutls_x509_crt_import(crt, &raw[i], GNUTLS_X509_FMT_DER) == 0;
    if (good) continue;
    // All or nothing: a chain with a hole would be judged as another chain.
    certificates_.clear();
    return;
  }
}

std::vector<gnutls_x509_crt_t> Chain::pointers() const {
  std::vector<gnutls_x509_crt_t> list;
  for (const auto& certificate : certificates_) list.push_back(certificate.get());
  return list;
}

gnutls_x509_crt_t Chain::named_issuer(gnutls_x509_crt_t crt) const {
  for (const auto& candidate : certificates_) {
    if (candidate.get() != crt && gnutls_x509_crt_check_issuer(crt, candidate.get()) != 0) {
      return candidate.get();
    }
  }
  return nullptr;
}

// Anchors come before what the server sent: where trust begins, the path ends, whatever was sent
// above. Certificates may name each other in circles, so none is taken twice.
std::vector<gnutls_x509_crt_t> Chain::path_of_names(gnutls_x509_trust_list_t anchors) const {
  std::vector<gnutls_x509_crt_t> path = {leaf()};
  while (!is_self_issued(path.back())) {
    if (const auto anchor = anchor_above(anchors, path.back())) {
      path.push_back(anchor);
      break;
    }
    const auto issuer = named_issuer(path.back());
    if (issuer == nullptr || std::ranges::find(path, issuer) != path.end()) break;
    path.push_back(issuer);
  }
  return path;
}

}  // namespace tunnel::x509
