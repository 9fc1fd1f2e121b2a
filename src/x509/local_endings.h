// SPDX-License-Identifier: MIT
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "config/model.h"

namespace tunnel::x509 {

// When something that a [NAME.tls] table names on this machine ends. A value.
struct LocalEnding {
  std::string key;      // "ca", "peer_certs", "crl"
  int index = -1;       // entry of an array
  std::string origin;   // "/etc/tunnel/ca.pem, line 1"
  std::string subject;  // of a CRL: its issuer
  std::time_t end = 0;
};

// Of every certificate and CRL in the files of `ca`, `peer_certs` and `crl`; what has no end or
// cannot be read is left out. Blocking.
[[nodiscard]] std::vector<LocalEnding> local_endings(const config::Tls& tls);

}  // namespace tunnel::x509
