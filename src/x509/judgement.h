// SPDX-License-Identifier: MIT
// What the steps of a verification share.
#pragma once

#include <algorithm>
#include <ctime>
#include <optional>
#include <string>

#include "x509/certificate_text.h"
#include "x509/chain.h"
#include "x509/peer.h"
#include "x509/verdict.h"
#include "x509/verified_path.h"
#include "x509/verify_policy.h"
#include "x509/x509_text.h"

namespace tunnel::x509 {

using Reason = std::optional<Verdict>;  // why not; nothing when all is well

// One verification: what it is about, and what it has found. Lives for one call of verify_peer.
struct Judgement {
  gnutls_session_t session;
  const VerifyPolicy& policy;
  const Peer& peer;
  const Chain& chain;
  std::time_t now;
  Verdict& good;      // what is told when no step finds a fault
  VerifiedPath path;  // once the chain has been verified

  void is_good_until(std::time_t time) const { good.good_until = std::min(good.good_until, time); }
  [[nodiscard]] gnutls_x509_trust_list_t anchors() const { return policy.anchors->list(); }
  // A certificate of the path, as the subject of a sentence.
  [[nodiscard]] std::string name(gnutls_x509_crt_t crt) const {
    return crt == chain.leaf() ? certificate_of(peer.target)
                               : ca_certificate_of(peer.target, subject_of(crt));
  }
};

}  // namespace tunnel::x509
