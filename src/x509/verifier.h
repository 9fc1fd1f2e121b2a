// SPDX-License-Identifier: MIT
#pragma once

#include <ctime>

#include "x509/peer.h"
#include "x509/verdict.h"
#include "x509/verify_policy.h"

namespace tunnel::x509 {

// Judges the certificates that the handshake has brought, or those of the session that it resumed.
// In the order: chain (trust, dates, strength, purpose), name, pin, revocation; the first that
// fails is told. `now` is for what is judged here; GnuTLS asks its own clock.
[[nodiscard]] Verdict verify_peer(gnutls_session_t session, const VerifyPolicy& policy,
                                  const Peer& peer, std::time_t now);

}  // namespace tunnel::x509
