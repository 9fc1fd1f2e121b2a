// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "x509/handles.h"
#include "x509/problem.h"

namespace tunnel::x509 {

// The certificates that a server may have, by subject and public key: what else is in them may
// change, so a renewed certificate with the old key is still the server's. Immutable after loading;
// any thread.
class PeerCertificates {
 public:
  PeerCertificates() = default;
  // Files, PEM or DER, or folders of them; no path gives an empty list. Blocking.
  [[nodiscard]] static PeerCertificates load(const std::vector<std::string>& paths,
                                             Problems& problems);

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] bool accept(gnutls_x509_crt_t certificate) const;
  // What it has instead of a certificate that it does not accept: "tls.peer_certs (/etc/peer.pem)
  // has CN=dc1 with another key, sha256:...".
  [[nodiscard]] std::string instead_of(gnutls_x509_crt_t certificate) const;

 private:
  struct Entry {
    std::string subject;  // DER
    std::string key;      // SHA-256 of the SubjectPublicKeyInfo
    std::string name;     // the subject for people
  };
  [[nodiscard]] static Entry entry_of(gnutls_x509_crt_t certificate);

  std::string paths_;  // for people
  std::vector<Entry> entries_;
};

}  // namespace tunnel::x509
