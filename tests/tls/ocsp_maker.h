// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "support/pki.h"

namespace tunnel::tls::test {

using tunnel::test::Identity;
using tunnel::test::kDay;

// What a responder says of a certificate. Times are relative to now.
struct OcspAnswer {
  enum class Status { good, revoked, unknown };
  Status status = Status::good;
  std::time_t this_update = -3600;
  std::time_t next_update = kDay;  // 0: none
};

// A signed OCSP response (RFC 6960) in DER; GnuTLS reads but does not make them. `signer` is the
// issuer itself for an honest one.
[[nodiscard]] std::string make_ocsp_response(const Identity& leaf, const Identity& issuer,
                                             const Identity& signer, const OcspAnswer& answer);

// A response in which the responder declines: tryLater.
[[nodiscard]] std::string make_ocsp_try_later();

}  // namespace tunnel::tls::test
