// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <ctime>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/failure.h"
#include "config/model.h"
#include "x509/crl.h"
#include "x509/handles.h"
#include "x509/peer.h"
#include "x509/peer_certificates.h"
#include "x509/trust_anchors.h"

namespace tunnel::x509 {

// How the certificates of a service's targets are judged. Immutable; any thread.
struct VerifyPolicy {
  config::Verify verify = config::Verify::full;
  std::shared_ptr<const TrustAnchors> anchors;  // full and chain
  RevocationLists crls;
  config::OcspMode ocsp = config::OcspMode::soft;
  std::vector<std::string> pins;  // SHA-256 of the SubjectPublicKeyInfo, raw
  PeerCertificates peers;         // of them or of the pins, one must match if there is any
  // No certificate is good enough; else a server that does not know our pre-shared key could show
  // one instead.
  bool needs_psk = false;
  unsigned flags = 0;  // tls::Offer::verify_flags
};

// Whether the peer may be talked to: `failure.kind` is ok, or it says why not, and `alert` is what
// the peer should be told.
struct Verdict {
  Failure failure;
  gnutls_alert_description_t alert = GNUTLS_A_BAD_CERTIFICATE;
  // When it is good and that was asked for: from then on the same certificates, lists and responses
  // may be found bad, because one of them has ended.
  std::time_t good_until = std::numeric_limits<std::time_t>::max();
  // When it is good: until when a stapled answer says that the certificate is not revoked; 0 when
  // there is no answer, or none that was asked for.
  std::time_t ocsp_until = 0;
};

enum class Lasting : std::uint8_t { is_asked, is_not_asked };

// Judges the certificates that the handshake has brought, or those of the session that it resumed.
// In the order: chain (trust, dates, strength, purpose), name, pin, revocation; the first that
// fails is told. `now` is for what is judged here; GnuTLS asks its own clock.
[[nodiscard]] Verdict verify_peer(gnutls_session_t session, const VerifyPolicy& policy,
                                  const Peer& peer, std::time_t now, Lasting lasting);

}  // namespace tunnel::x509
