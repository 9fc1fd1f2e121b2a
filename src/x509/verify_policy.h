// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/model.h"
#include "x509/crl.h"
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

}  // namespace tunnel::x509
