// SPDX-License-Identifier: MIT
#include "tls/chain.h"

#include <algorithm>

namespace tunnel::tls {
namespace {

constexpr std::size_t kMaxPath = 16;  // GnuTLS verifies no longer chain either

}  // namespace

bool has_signed(gnutls_x509_crt_t issuer, gnutls_x509_crt_t crt) {
  constexpr unsigned kFlags = GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_CA_SIGN |
                              GNUTLS_VERIFY_ALLOW_BROKEN | GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1 |
                              GNUTLS_VERIFY_IGNORE_UNKNOWN_CRIT_EXTENSIONS;
  unsigned status = 0;
  if (gnutls_x509_crt_verify(crt, &issuer, 1, kFlags, &status) < 0) return false;
  return (status & (GNUTLS_CERT_SIGNATURE_FAILURE | GNUTLS_CERT_SIGNER_NOT_FOUND)) == 0;
}

bool is_self_issued(gnutls_x509_crt_t crt) { return gnutls_x509_crt_check_issuer(crt, crt) != 0; }

Chain::Chain(gnutls_session_t session) {
  unsigned count = 0;
  const gnutls_datum_t* raw = gnutls_certificate_get_peers(session, &count);
  for (unsigned i = 0; raw != nullptr && i < count; ++i) {
    gnutls_x509_crt_t crt = nullptr;
    bool good = gnutls_x509_crt_init(&crt) == 0;
    if (good) certificates_.emplace_back(crt);
    good = good && gnutls_x509_crt_import(crt, &raw[i], GNUTLS_X509_FMT_DER) == 0;
    if (good) continue;
    certificates_.clear();
    return;
  }
}

std::vector<gnutls_x509_crt_t> Chain::pointers() const {
  std::vector<gnutls_x509_crt_t> list;
  for (const auto& certificate : certificates_) list.push_back(certificate.get());
  return list;
}

gnutls_x509_crt_t Chain::issuer_in_chain(gnutls_x509_crt_t crt) const {
  for (const auto& candidate : certificates_) {
    if (candidate.get() != crt && gnutls_x509_crt_check_issuer(crt, candidate.get()) != 0 &&
        has_signed(candidate.get(), crt))
      return candidate.get();
  }
  return nullptr;
}

std::vector<gnutls_x509_crt_t> Chain::path(gnutls_x509_trust_list_t anchors) const {
  std::vector<gnutls_x509_crt_t> path = {leaf()};
  while (path.size() < kMaxPath && !is_self_issued(path.back())) {
    gnutls_x509_crt_t issuer = nullptr;
    if (anchors != nullptr &&
        gnutls_x509_trust_list_get_issuer(anchors, path.back(), &issuer, 0) == 0) {
      path.push_back(issuer);  // the list's; it ends here
      break;
    }
    issuer = issuer_in_chain(path.back());
    if (issuer == nullptr || std::ranges::find(path, issuer) != path.end()) break;
    path.push_back(issuer);
  }
  return path;
}

}  // namespace tunnel::tls
