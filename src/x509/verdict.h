// SPDX-License-Identifier: MIT
#pragma once

#include <gnutls/gnutls.h>

#include <ctime>
#include <limits>
#include <memory>

#include "base/failure.h"
#include "x509/trusted_path.h"

namespace tunnel::x509 {

// Whether the peer may be talked to: `failure.kind` is ok, or it says why not, and `alert` is what
// the peer should be told.
struct Verdict {
  Failure failure;
  gnutls_alert_description_t alert = GNUTLS_A_BAD_CERTIFICATE;
  // When it is good: from then on the same certificates, lists and responses may be found bad,
  // because one of them has ended.
  std::time_t good_until = std::numeric_limits<std::time_t>::max();
  // When it is good: until when a stapled answer says that the certificate is not revoked; 0 when
  // there is no answer, or none that was asked for.
  std::time_t ocsp_until = 0;
  // When it is good; null where no path has been verified.
  std::shared_ptr<const TrustedPath> path{};
};

}  // namespace tunnel::x509
