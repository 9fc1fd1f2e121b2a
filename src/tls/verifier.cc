// SPDX-License-Identifier: MIT
#include "tls/verifier.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <utility>

#include "tls/chain.h"
#include "tls/failure_text.h"
#include "tls/ocsp.h"
#include "tls/x509_text.h"

namespace tunnel::tls {
namespace {

using config::OcspMode;
using config::Verify;
using Reason = std::optional<Verdict>;  // why not; nothing when all is well

// RFC 6066's bad_certificate_status_response, which GnuTLS has no name for.
constexpr auto kBadStatusResponse = static_cast<gnutls_alert_description_t>(113);

// One verification: what it is about, and the steps it may need.
struct Judgement {
  gnutls_session_t session;
  const VerifyPolicy& policy;
  const Peer& peer;
  const Chain& chain;
  std::time_t now;
  std::time_t& good_until;

  void is_good_until(std::time_t time) const { good_until = std::min(good_until, time); }
  [[nodiscard]] gnutls_x509_trust_list_t anchors() const { return policy.anchors->list(); }
  // A certificate of the path, as the subject of a sentence.
  [[nodiscard]] std::string name(gnutls_x509_crt_t crt) const {
    return crt == chain.leaf() ? certificate_of(peer.target)
                               : ca_certificate_of(peer.target, subject_of(crt));
  }
};

// ---- dates and strength, certificate by certificate

Reason outside_its_dates(const Judgement& judgement, gnutls_x509_crt_t crt) {
  const auto begin = gnutls_x509_crt_get_activation_time(crt);
  const auto end = gnutls_x509_crt_get_expiration_time(crt);
  if (end != -1 && end < judgement.now)
    return Verdict{expired(judgement.name(crt), end, judgement.now), GNUTLS_A_CERTIFICATE_EXPIRED};
  if (begin != -1 && begin > judgement.now)
    return Verdict{not_yet_valid(judgement.name(crt), begin, judgement.now),
                   GNUTLS_A_BAD_CERTIFICATE};
  return std::nullopt;
}

Reason too_weak(const Judgement& judgement, gnutls_x509_crt_t crt) {
  unsigned bits = 0;
  const int key = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
  const auto algorithm = static_cast<gnutls_pk_algorithm_t>(key);
  if (key >= 0 && gnutls_pk_bits_to_sec_param(algorithm, bits) < GNUTLS_SEC_PARAM_MEDIUM)
    return Verdict{weak(judgement.name(crt), std::string("has a ") + std::to_string(bits) +
                                                 "-bit " + gnutls_pk_get_name(algorithm) + " key"),
                   GNUTLS_A_INSUFFICIENT_SECURITY};
  const int signature = gnutls_x509_crt_get_signature_algorithm(crt);
  const auto sign = static_cast<gnutls_sign_algorithm_t>(signature);
  // What signed a root of trust does not matter: nobody checks it.
  if (signature >= 0 && !is_self_issued(crt) &&
      gnutls_sign_is_secure2(sign, GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS) == 0)
    return Verdict{
        weak(judgement.name(crt), std::string("is signed with ") + gnutls_sign_get_name(sign)),
        GNUTLS_A_INSUFFICIENT_SECURITY};
  return std::nullopt;
}

// ---- the chain

Verdict untrusted(const Judgement& judgement) {
  const auto& target = judgement.peer.target;
  const auto path = judgement.chain.path(judgement.anchors());
  const auto top = path.back();
  if (top == judgement.chain.leaf() && is_self_issued(top))
    return {self_signed(target, subject_of(top), judgement.policy.anchors->name(),
                        base64(spki_sha256(top))),
            GNUTLS_A_UNKNOWN_CA};
  return {unknown_issuer(target, issuer_of(top), judgement.policy.anchors->name(),
                         judgement.chain.size()),
          GNUTLS_A_UNKNOWN_CA};
}

// What GnuTLS calls invalid, in the order of what helps most to know.
Verdict explain(const Judgement& judgement, unsigned status) {
  const auto& target = judgement.peer.target;
  const auto path = judgement.chain.path(judgement.anchors());
  if ((status & GNUTLS_CERT_INSECURE_ALGORITHM) != 0) {
    for (const auto crt : path)
      if (auto reason = too_weak(judgement, crt)) return *std::move(reason);
    return {weak(certificate_of(target), "has a key or a signature in its chain"),
            GNUTLS_A_INSUFFICIENT_SECURITY};
  }
  if ((status & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0) return untrusted(judgement);
  if ((status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)) != 0) {
    for (const auto crt : path)
      if (auto reason = outside_its_dates(judgement, crt)) return *std::move(reason);
  }
  if ((status & GNUTLS_CERT_PURPOSE_MISMATCH) != 0)
    return {wrong_purpose(target), GNUTLS_A_UNSUPPORTED_CERTIFICATE};
  const char* why = "GnuTLS calls it invalid";
  if ((status & GNUTLS_CERT_SIGNATURE_FAILURE) != 0)
    why =
        "a signature in its chain is wrong: a CA of the same name but with another key may be "
        "in use";
  else if ((status & GNUTLS_CERT_SIGNER_NOT_CA) != 0)
    why = "it was issued by a certificate that is not a CA's";
  else if ((status & GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE) != 0)
    why =
        "it was issued by a CA that may not issue it: name constraints, path length or key usage "
        "forbid it";
  else if ((status & GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS) != 0)
    why = "it has a critical extension that GnuTLS does not know";
  else if ((status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)) != 0)
    why = "a certificate in its chain is outside its dates";
  return {bad_chain(target, why), GNUTLS_A_BAD_CERTIFICATE};
}

Reason chain_fails(const Judgement& judgement) {
  static constexpr char kServerAuth[] = GNUTLS_KP_TLS_WWW_SERVER;
  gnutls_typed_vdata_st purpose{};
  purpose.type = GNUTLS_DT_KEY_PURPOSE_OID;
  purpose.data = reinterpret_cast<unsigned char*>(const_cast<char*>(kServerAuth));
  auto list = judgement.chain.pointers();
  unsigned status = 0;
  // Revocation is ours: lists and stapled answers are judged below, failing closed.
  const int error = gnutls_x509_trust_list_verify_crt2(
      judgement.anchors(), list.data(), static_cast<unsigned>(list.size()), &purpose, 1,
      judgement.policy.flags | GNUTLS_VERIFY_DISABLE_CRL_CHECKS, &status, nullptr);
  if (error < 0)
    return Verdict{bad_chain(judgement.peer.target, gnutls_strerror(error)),
                   GNUTLS_A_BAD_CERTIFICATE};
  if (status != 0) return explain(judgement, status);
  return std::nullopt;
}

// ---- name and pin

bool is_for(gnutls_x509_crt_t crt, std::string_view name) {
  static constexpr std::string_view kEmail = "email:";
  if (name.find('\0') != std::string_view::npos) return false;  // GnuTLS would see half of it
  if (name.starts_with(kEmail))
    return gnutls_x509_crt_check_email(crt, std::string(name.substr(kEmail.size())).c_str(), 0) !=
           0;
  const std::string text(name);
  std::array<unsigned char, 16> ip{};
  if (::inet_pton(AF_INET, text.c_str(), ip.data()) == 1)
    return gnutls_x509_crt_check_ip(crt, ip.data(), 4, 0) != 0;
  if (::inet_pton(AF_INET6, text.substr(0, text.find('%')).c_str(), ip.data()) == 1)
    return gnutls_x509_crt_check_ip(crt, ip.data(), 16, 0) != 0;
  // A trailing dot marks a DNS name as complete; certificates never carry it.
  const auto end = text.ends_with('.') ? text.size() - 1 : text.size();
  return gnutls_x509_crt_check_hostname2(crt, text.substr(0, end).c_str(),
                                         GNUTLS_VERIFY_DO_NOT_ALLOW_IP_MATCHES) != 0;
}

Reason name_fails(const Judgement& judgement) {
  for (const auto& name : judgement.peer.names)
    if (is_for(judgement.chain.leaf(), name)) return std::nullopt;
  return Verdict{
      wrong_name(judgement.peer.target, names_of(judgement.chain.leaf()), judgement.peer.names),
      GNUTLS_A_BAD_CERTIFICATE};
}

Reason pin_fails(const Judgement& judgement) {
  const auto actual = spki_sha256(judgement.chain.leaf());
  for (const auto& pin : judgement.policy.pins)
    if (!actual.empty() && pin == actual) return std::nullopt;
  const auto& peers = judgement.policy.peers;
  const auto leaf = judgement.chain.leaf();
  if (peers.empty())
    return Verdict{wrong_pin(judgement.peer.target, base64(actual)), GNUTLS_A_BAD_CERTIFICATE};
  if (peers.accept(leaf)) return std::nullopt;
  return Verdict{
      wrong_peer(judgement.peer.target, subject_of(leaf), base64(actual), peers.instead_of(leaf)),
      GNUTLS_A_BAD_CERTIFICATE};
}

// ---- revocation

// The server's own certificate must be covered; one above it is checked where a list covers it.
Reason crl_fails(const Judgement& judgement, const std::vector<gnutls_x509_crt_t>& path) {
  using State = RevocationLists::State;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto crt = path[i];
    const bool is_leaf = i == 0;
    if (!is_leaf && is_self_issued(crt)) break;
    const auto issuer = i + 1 < path.size() ? path[i + 1] : crt;
    const auto finding =
        judgement.policy.crls.look_up(crt, issuer, judgement.now, judgement.policy.flags);
    switch (finding.state) {
      case State::good:
        judgement.is_good_until(finding.good_until);
        break;
      case State::missing:
        if (is_leaf)
          return Verdict{crl_missing(judgement.name(crt), issuer_of(crt)),
                         GNUTLS_A_CERTIFICATE_UNKNOWN};
        break;
      case State::unusable:
        return Verdict{crl_unusable(judgement.name(crt), issuer_of(crt), finding.text),
                       GNUTLS_A_CERTIFICATE_UNKNOWN};
      case State::revoked:
        return Verdict{revoked(judgement.name(crt), finding.revoked_at, "the CRL " + finding.text),
                       GNUTLS_A_CERTIFICATE_REVOKED};
    }
  }
  return std::nullopt;
}

Reason ocsp_fails(const Judgement& judgement) {
  const auto mode = judgement.policy.ocsp;
  if (mode == OcspMode::off) return std::nullopt;
  gnutls_datum_t response{};
  if (gnutls_ocsp_status_request_get2(judgement.session, 0, &response) < 0) response = {};
  const auto leaf = judgement.chain.leaf();
  if (response.size == 0 && mode == OcspMode::soft && !must_staple(leaf)) return std::nullopt;
  const auto path = judgement.chain.path(judgement.anchors());
  // A leaf that is itself trusted may come without its issuer: then nobody can check the answer.
  const auto finding =
      path.size() > 1 ? check_ocsp(response, leaf, path[1], judgement.now, judgement.policy.flags)
                      : OcspFinding{.why = "stapled an OCSP response whose CA is not known here"};
  const auto& target = judgement.peer.target;
  switch (finding.state) {
    case OcspFinding::State::good:
      judgement.is_good_until(finding.good_until);
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
  if (mode == OcspMode::require)
    return Verdict{ocsp_failed(target, finding.why,
                               "switch stapling on there, or do not require it (tls.ocsp = "
                               "\"soft\")"),
                   kBadStatusResponse};
  if (must_staple(leaf))
    return Verdict{
        ocsp_failed(target, finding.why,
                    "its certificate demands stapling (must-staple): switch it on there"),
        kBadStatusResponse};
  return std::nullopt;
}

Reason revocation_fails(const Judgement& judgement) {
  if (!judgement.policy.crls.empty()) {
    if (auto reason = crl_fails(judgement, judgement.chain.path(judgement.anchors())))
      return reason;
  }
  return ocsp_fails(judgement);
}

// ---- how long it will be so

// The dates of all certificates that the chain may have been verified with. One that has ended
// already was not among them.
void limit_by_dates(const Judgement& judgement) {
  const auto limit = [&judgement](gnutls_x509_crt_t crt) {
    const auto end = gnutls_x509_crt_get_expiration_time(crt);
    if (end != -1 && end >= judgement.now) judgement.is_good_until(end);
  };
  if (judgement.policy.verify == Verify::pin) return limit(judgement.chain.leaf());
  for (const auto crt : judgement.chain.pointers()) {
    limit(crt);
    gnutls_x509_crt_t anchor = nullptr;
    if (gnutls_x509_trust_list_get_issuer(judgement.anchors(), crt, &anchor, 0) == 0) limit(anchor);
  }
  // An anchor is found by its name. When another of that name was the one, nothing is known.
  const auto path = judgement.chain.path(judgement.anchors());
  const auto& last = path.size() > 1 ? path[path.size() - 2] : path.back();
  if (path.size() > 1 && !has_signed(path.back(), last)) judgement.is_good_until(judgement.now);
}

Reason find_fault(const Judgement& judgement) {
  const auto& policy = judgement.policy;
  if (policy.verify == Verify::pin) {
    if (auto reason = outside_its_dates(judgement, judgement.chain.leaf())) return reason;
    return pin_fails(judgement);
  }
  if (auto reason = chain_fails(judgement)) return reason;
  if (policy.verify == Verify::full) {
    if (auto reason = name_fails(judgement)) return reason;
  }
  if (!policy.pins.empty() || !policy.peers.empty()) {
    if (auto reason = pin_fails(judgement)) return reason;
  }
  return revocation_fails(judgement);
}

}  // namespace

Verdict verify_peer(gnutls_session_t session, const VerifyPolicy& policy, const Peer& peer,
                    std::time_t now, Lasting lasting) {
  // Called at all, it is about certificates: a handshake with a pre-shared key has none.
  if (policy.needs_psk) return {psk_not_used(peer.target), GNUTLS_A_CERTIFICATE_UNKNOWN};
  if (policy.verify == Verify::none) return {};
  const Chain chain(session);
  if (chain.empty()) return {no_certificate(peer.target), GNUTLS_A_BAD_CERTIFICATE};
  Verdict good;
  const Judgement judgement{session, policy, peer, chain, now, good.good_until};
  if (auto reason = find_fault(judgement)) return *std::move(reason);
  if (lasting == Lasting::is_asked) limit_by_dates(judgement);
  return good;
}

}  // namespace tunnel::tls
