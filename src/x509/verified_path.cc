// SPDX-License-Identifier: MIT
#include "x509/verified_path.h"

#include <algorithm>

#include "x509/x509_text.h"

namespace tunnel::x509 {
namespace {

// GnuTLS's output function gets no pointer of ours, so the verification that is under way in this
// thread lends itself here, for the length of one call.
thread_local VerifiedPath* under_way = nullptr;

class Lent {
 public:
  explicit Lent(VerifiedPath& path) { under_way = &path; }
  ~Lent() { under_way = nullptr; }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
};

Certificate copy_of(gnutls_x509_crt_t crt) {
  gnutls_x509_crt_t raw = nullptr;
  if (gnutls_x509_crt_init(&raw) < 0) return nullptr;
  Certificate copy(raw);
  const auto encoded = der_of(crt);
  const auto der = lend(encoded);
  return gnutls_x509_crt_import(raw, &der, GNUTLS_X509_FMT_DER) == 0 ? std::move(copy) : nullptr;
}

}  // namespace

int VerifiedPath::record(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer, gnutls_x509_crl_t,
                         unsigned status) {
  if (under_way != nullptr) under_way->note(certificate, issuer, status);
  return 0;
}

// It may go over the chain more than once: the last word on a certificate counts.
void VerifiedPath::note(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer, unsigned status) {
  const auto shown = chain_->pointers();
  if (issuer != nullptr && std::ranges::find(shown, issuer) == shown.end()) {
    anchors_.push_back(copy_of(issuer));
    issuer = anchors_.back().get();
  }
  std::erase_if(steps_, [certificate](const Step& s) { return s.certificate == certificate; });
  steps_.push_back({certificate, issuer, status});
}

int VerifiedPath::verify(const Chain& chain, gnutls_x509_trust_list_t anchors, unsigned flags) {
  static constexpr char kServerPurpose[] = GNUTLS_KP_TLS_WWW_SERVER;
  gnutls_typed_vdata_st purpose{};
  // A certificate that names no purpose has all of them (RFC 5280 section 4.2.1.12), for GnuTLS
  // too.
  purpose.type = GNUTLS_DT_KEY_PURPOSE_OID;
  purpose.data = reinterpret_cast<unsigned char*>(const_cast<char*>(kServerPurpose));
  auto list = chain.pointers();
  chain_ = &chain;
  const Lent lent(*this);
  // Revocation is ours: lists and stapled answers are judged afterwards, failing closed.
  const int error = gnutls_x509_trust_list_verify_crt2(
      anchors, list.data(), static_cast<unsigned>(list.size()), &purpose, 1,
      flags | GNUTLS_VERIFY_DISABLE_CRL_CHECKS, &status_, &VerifiedPath::record);
  if (error == 0 && status_ == 0) find_path(chain.leaf());
  return error;
}

void VerifiedPath::find_path(gnutls_x509_crt_t leaf) {
  path_ = {leaf};
  // Bounded, for the steps are what GnuTLS has reported, and nothing says that they lead to an end.
  while (path_.size() <= steps_.size()) {
    const auto step = std::ranges::find(steps_, path_.back(), &Step::certificate);
    if (step == steps_.end() || step->issuer == nullptr) return;
    // An anchor is its own reason.
    if (gnutls_x509_crt_equals(step->issuer, step->certificate) != 0) return;
    path_.push_back(step->issuer);
  }
}

std::optional<VerifiedPath::Step> VerifiedPath::failed_step() const {
  // GnuTLS stops at the first fault, which is therefore the last thing that it reports.
  if (status_ == 0 || steps_.empty() || steps_.back().status == 0) return std::nullopt;
  return steps_.back();
}

}  // namespace tunnel::x509
