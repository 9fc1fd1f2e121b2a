// SPDX-License-Identifier: MIT
#pragma once

#include "x509/judgement.h"

namespace tunnel::x509 {

// Whether one of the certificates is revoked, or it cannot be told: by tls.crl, then by the answer
// that the server stapled. After the chain was verified.
[[nodiscard]] Reason revocation_fails(const Judgement& judgement);

}  // namespace tunnel::x509
