// SPDX-License-Identifier: MIT
#include "x509/revocation.h"

#include <vector>

#include "x509/ocsp.h"

namespace tunnel::x509 {
namespace {

using config::OcspMode;
using State = RevocationLists::State;

// RFC 6066's bad_certificate_status_response, which GnuTLS has no name for.
constexpr auto kBadStatusResponse = static_cast<gnutls_alert_description_t>(113);

Verdict revoked_by_list(const Judgement& judgement, gnutls_x509_crt_t crt,
                        const RevocationLists::Finding& finding) {
  return {revoked(judgement.name(crt), finding.revoked_at, "the CRL " + finding.text),
          GNUTLS_A_CERTIFICATE_REVOKED};
}

// Above a leaf that is itself an anchor the path has nothing, but its CA may be known all the same:
// the certificate whose key made its signature. Itself when there is none.
gnutls_x509_crt_t issuer_of_leaf(const Judgement& judgement) {
  const auto& path = judgement.path.certificates();
  const auto leaf = judgement.chain.leaf();
  if (path.size() > 1) return path[1];
  for (const auto issuer :
       {anchor_above(judgement.anchors(), leaf), judgement.chain.named_issuer(leaf)}) {
    if (issuer != nullptr && has_signed(issuer, leaf)) return issuer;
  }
  return leaf;
}

// A certificate that the verification relied on. The leaf must be covered; one above it is checked
// where a list covers it.
Reason path_fails(const Judgement& judgement, gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer) {
  const auto finding =
      judgement.policy.crls.look_up(crt, issuer, judgement.now, judgement.policy.flags);
  switch (finding.state) {
    case State::good:
      judgement.is_good_until(finding.good_until);
      break;
    case State::missing:
      if (crt == judgement.chain.leaf()) {
        return Verdict{crl_missing(judgement.name(crt), issuer_of(crt)),
                       GNUTLS_A_CERTIFICATE_UNKNOWN};
      }
      break;
    case State::unusable:
      return Verdict{crl_unusable(judgement.name(crt), issuer_of(crt), finding.text),
                     GNUTLS_A_CERTIFICATE_UNKNOWN};
    case State::revoked:
      return revoked_by_list(judgement, crt, finding);
  }
  return std::nullopt;
}

// One that the verification did without: another of the same name and key stood in for it. What a
// valid list says of it counts all the same, and a list is valid when it is signed by one of the
// path or an anchor: the keys of others prove nothing, and cost nothing here.
Reason bystander_fails(const Judgement& judgement, gnutls_x509_crt_t crt) {
  auto issuers = judgement.path.certificates();
  if (const auto anchor = anchor_above(judgement.anchors(), crt)) issuers.push_back(anchor);
  for (const auto issuer : issuers) {
    if (gnutls_x509_crt_check_issuer(crt, issuer) == 0) continue;
    const auto finding =
        judgement.policy.crls.find_revoked(crt, issuer, judgement.now, judgement.policy.flags);
    if (finding) return revoked_by_list(judgement, crt, *finding);
  }
  return std::nullopt;
}

// In the order of what is relied on: the leaf, which must be covered, those above it, the anchor,
// and last what was shown in passing.
Reason crl_fails(const Judgement& judgement) {
  const auto& path = judgement.path.certificates();
  if (auto reason = path_fails(judgement, path.front(), issuer_of_leaf(judgement))) return reason;
  for (std::size_t i = 1; i + 1 < path.size(); ++i) {
    if (auto reason = path_fails(judgement, path[i], path[i + 1])) return reason;
  }
  // The anchor was trusted by decision; a list may have changed it since.
  if (path.size() > 1) {
    if (auto reason = bystander_fails(judgement, path.back())) return reason;
  }
  for (const auto crt : judgement.chain.pointers()) {
    if (std::ranges::find(path, crt) != path.end()) continue;
    if (auto reason = bystander_fails(judgement, crt)) return reason;
  }
  return std::nullopt;
}

// An answer that came is judged in every mode but "off": a bad one fails the connection although
// none was demanded. Mode and certificate decide only about its absence.
Reason ocsp_fails(const Judgement& judgement) {
  const auto mode = judgement.policy.ocsp;
  if (mode == OcspMode::off) return std::nullopt;
  gnutls_datum_t response{};
  if (gnutls_ocsp_status_request_get2(judgement.session, 0, &response) < 0) response = {};
  const auto leaf = judgement.chain.leaf();
  if (response.size == 0 && mode == OcspMode::soft && !must_staple(leaf)) return std::nullopt;
  const auto issuer = issuer_of_leaf(judgement);
  // A leaf that is itself trusted may come without its issuer: then nothing can check the answer.
  const bool can_check = response.size == 0 || issuer != leaf;
  const auto finding =
      can_check ? check_ocsp(response, leaf, issuer, judgement.now, judgement.policy.flags)
                : OcspFinding{.why = "stapled an OCSP response whose CA is not known here"};
  const auto& target = judgement.peer.target;
  switch (finding.state) {
    case OcspFinding::State::good:
      judgement.is_good_until(finding.good_until);
      judgement.good.ocsp_until = finding.good_until;
      return std::nullopt;
    case OcspFinding::State::revoked:
      return Verdict{
          revoked(judgement.name(leaf), finding.revoked_at, "the OCSP response stapled to it"),
          GNUTLS_A_CERTIFICATE_REVOKED};
    case OcspFinding::State::invalid:
      return Verdict{ocsp_failed(target, finding.why,
                                 "its OCSP stapling has to be repaired (tls.ocsp = \"off\" ignores "
                                 "it)"),
                     kBadStatusResponse};
    case OcspFinding::State::absent:
      break;
  }
  if (mode == OcspMode::require) {
    return Verdict{ocsp_failed(target, finding.why,
                               "switch stapling on there, or do not require it (tls.ocsp = "
                               "\"soft\")"),
                   kBadStatusResponse};
  }
  if (must_staple(leaf)) {
    return Verdict{
        ocsp_failed(target, finding.why,
                    "its certificate demands stapling (must-staple): switch it on there"),
        kBadStatusResponse};
  }
  return std::nullopt;
}

}  // namespace

Reason revocation_fails(const Judgement& judgement) {
  if (!judgement.policy.crls.empty()) {
    if (auto reason = crl_fails(judgement)) return reason;
  }
  return ocsp_fails(judgement);
}

}  // namespace tunnel::x509
