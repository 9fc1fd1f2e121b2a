// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "x509/examination.h"

namespace tunnel::tls {

// What a session has seen of its server, for who is to explain it afterwards: outlives the session,
// which writes it. A value.
struct Evidence {
  std::optional<x509::Examination> examination;  // nothing: no certificate has come
  bool is_certificate_requested = false;         // of us
  std::vector<std::string> authorities;          // whose certificates the server says it takes
  std::string said;                              // in the place of TLS
};

}  // namespace tunnel::tls
