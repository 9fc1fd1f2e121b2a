// SPDX-License-Identifier: MIT
#include "x509/verifier.h"

#include <algorithm>
#include <ctime>
#include <limits>
#include <memory>
#include <utility>

#include "x509/certificate_text.h"
#include "x509/judgement.h"
#include "x509/revocation.h"
#include "x509/steps.h"

namespace tunnel::x509 {
namespace {

using config::Verify;

// ---- how long it will be so

// The dates of all certificates that it was verified with, and which they are.
void describe_good(const Judgement& judgement) {
  const auto end_of = [](gnutls_x509_crt_t crt) {
    const auto end = gnutls_x509_crt_get_expiration_time(crt);
    return end != -1 ? end : std::numeric_limits<std::time_t>::max();
  };
  judgement.is_good_until(end_of(judgement.chain.leaf()));
  const auto& path = judgement.path.certificates();
  if (path.empty()) return;
  auto earliest = std::numeric_limits<std::time_t>::max();
  auto trusted = std::make_shared<TrustedPath>();
  for (const auto crt : path) {
    earliest = std::min(earliest, end_of(crt));
    trusted->subjects.push_back(subject_of(crt));
  }
  judgement.is_good_until(earliest);
  if (earliest != std::numeric_limits<std::time_t>::max()) trusted->until = earliest;
  judgement.good.path = std::move(trusted);
}

// Revocation comes last: it needs the path that the chain's verification has found, and may cost
// one signature check after another.
Reason find_fault(Judgement& judgement) {
  const auto& policy = judgement.policy;
  if (policy.verify == Verify::pin) {
    // A pin stands in for the chain, not for the dates.
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
                    std::time_t now) {
  // Called at all, it is about certificates: a handshake with a pre-shared key has none.
  if (policy.needs_psk) return {psk_not_used(peer.target), GNUTLS_A_CERTIFICATE_UNKNOWN};
  if (policy.verify == Verify::none) return {};
  const Chain chain(session);
  if (chain.empty()) return {no_certificate(peer.target), GNUTLS_A_BAD_CERTIFICATE};
  Verdict good;
  Judgement judgement{session, policy, peer, chain, now, good, {}};
  if (auto reason = find_fault(judgement)) return *std::move(reason);
  describe_good(judgement);
  return good;
}

}  // namespace tunnel::x509
