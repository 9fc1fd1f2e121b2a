// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <ctime>
#include <string>
#include <vector>

#include "base/failure.h"
#include "x509/handles.h"
#include "x509/peer.h"
#include "x509/verify_policy.h"

namespace tunnel::x509 {

// What one certificate says. A value.
struct CertificateFacts {
  std::string subject;             // "CN=dc1.example.com,O=Example" (RFC 4514)
  std::string issuer;              // the same of its issuer
  std::vector<std::string> names;  // "DNS:dc1.example.com", "IP:10.0.0.1", "uri:...", "email:..."
  std::string key;                 // "RSA 2048", "P-256"
  std::time_t not_before = 0;
  std::time_t not_after = 0;  // -1: no end that can be read
  std::string spki;           // SHA-256 of the public key, in base64: what a pin says
  std::string der;
};
[[nodiscard]] CertificateFacts facts_of(gnutls_x509_crt_t crt);
// In PEM.
[[nodiscard]] std::string pem_of(const CertificateFacts& certificate);

// Everything that can be said of the certificates that a server has shown, for a report. A value.
struct Examination {
  std::vector<CertificateFacts> shown;  // in the server's order
  // From its own certificate to the anchor, as they were verified; when they could not be, as far
  // as the names lead.
  std::vector<CertificateFacts> path;
  bool is_trusted = false;       // the path is verified, and its last certificate the anchor
  std::string anchor;            // where that is from: "the system's trust store"
  std::vector<bool> is_used;     // of `shown`: it is in the path, and not its anchor
  bool is_out_of_order = false;  // what is used was not sent each before its issuer
  // When it is not trusted for want of an issuer: its name, and where it is missing.
  std::string missing_issuer;
  bool is_self_signed = false;      // nobody else is missing: the server's own is its own root
  bool lacks_intermediate = false;  // most likely in what the server sends, not in the store
  bool system_has_issuer = false;   // where tls.ca has not
  std::string issuer_url;           // where the certificate at the top says its issuer is (AIA)

  std::time_t staple_made = 0;  // when the stapled OCSP response was made; 0: there is none
  std::time_t ocsp_until = 0;   // until when it says that the certificate is good; 0: it does not
  std::vector<Failure> faults;  // all reasons to refuse it; the first is what verify_peer tells
};

// During a handshake, where verify_peer is asked. Costs more than a verification: it goes on after
// the first fault.
[[nodiscard]] Examination examine(gnutls_session_t session, const VerifyPolicy& policy,
                                  const Peer& peer, std::time_t now);

}  // namespace tunnel::x509
