// SPDX-License-Identifier: MIT
#pragma once

#include <ctime>
#include <string>
#include <utility>

#include "x509/handles.h"

namespace tunnel::x509 {

// Certificates that a chain may end at. Immutable: GnuTLS allows concurrent read-only use.
class TrustAnchors {
 public:
  TrustAnchors(TrustListHandle list, std::string name, std::time_t earliest_end)
      : list_(std::move(list)), name_(std::move(name)), earliest_end_(earliest_end) {}

  [[nodiscard]] gnutls_x509_trust_list_t list() const { return list_.get(); }
  // For sentences: "the system's trust store", "tls.ca (/etc/ca.pem)".
  [[nodiscard]] const std::string& name() const { return name_; }
  // Of the certificates, where files were named; 0 for the system's store, of which most is not
  // used.
  [[nodiscard]] std::time_t earliest_end() const { return earliest_end_; }

 private:
  TrustListHandle list_;
  std::string name_;
  std::time_t earliest_end_;
};

}  // namespace tunnel::x509
