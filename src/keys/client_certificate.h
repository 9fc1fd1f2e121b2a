// SPDX-License-Identifier: MIT
#pragma once

#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "config/model.h"
#include "keys/handles.h"
#include "keys/key_password.h"
#include "keys/wrong_pins.h"
#include "x509/problem.h"

namespace tunnel::keys {

// The certificate that servers are shown, its issuers, and its key: from PEM, PKCS#12 or a PKCS#11
// token. Immutable after loading; any thread (GnuTLS locks a token's key while it signs).
class ClientCertificate {
 public:
  // Null without `cert`, and when there is a problem. Blocking, and never asks anybody anything.
  [[nodiscard]] static std::unique_ptr<const ClientCertificate> load(const config::Tls& tls,
                                                                     WrongPins& wrong_pins,
                                                                     x509::Problems& problems);
  ~ClientCertificate();
  ClientCertificate(const ClientCertificate&) = delete;
  ClientCertificate& operator=(const ClientCertificate&) = delete;

  // "CN=robot,O=Example (/etc/tunnel/robot.pem)"
  [[nodiscard]] const std::string& description() const { return description_; }

  // The leaf's SHA-256 and its end: "sha256:9f3c..." and "2027-02-01 ...". Empty when GnuTLS fails.
  [[nodiscard]] std::string fingerprint() const;
  [[nodiscard]] std::string not_after() const;
  [[nodiscard]] std::time_t expires() const;  // the same; 0 then

  // Lent to GnuTLS while it answers a server (gnutls_certificate_retrieve_function3); the leaf
  // comes first.
  [[nodiscard]] const std::vector<gnutls_pcert_st>& chain() const { return chain_; }
  [[nodiscard]] gnutls_privkey_t key() const { return key_.get(); }

 private:
  class Loading;
  ClientCertificate() = default;

  // Of the key's file and of its token. Both outlive key_, which may ask for its PIN again.
  KeyPassword password_, pin_;
  PrivateKey key_;
  std::vector<gnutls_pcert_st> chain_;
  std::string description_;
};

}  // namespace tunnel::keys
