// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include "x509/handles.h"

namespace tunnel::x509 {

// Certificates that a chain may end at. Immutable: GnuTLS allows concurrent read-only use.
class TrustAnchors {
 public:
  TrustAnchors(TrustListHandle list, std::string name)
      : list_(std::move(list)), name_(std::move(name)) {}

  [[nodiscard]] gnutls_x509_trust_list_t list() const { return list_.get(); }
  // For sentences: "the system's trust store", "tls.ca (/etc/ca.pem)".
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  TrustListHandle list_;
  std::string name_;
};

}  // namespace tunnel::x509
