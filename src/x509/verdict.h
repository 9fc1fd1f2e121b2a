// SPDX-License-Identifier: MIT
#pragma once

#include <gnutls/gnutls.h>

#include <ctime>
#include <limits>

#include "base/failure.h"

namespace tunnel::x509 {

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
  // When it is good and that was asked for: the earliest end among the certificates of the verified
  // path, its anchor included; 0 where none has been verified.
  std::time_t path_until = 0;
};

}  // namespace tunnel::x509
