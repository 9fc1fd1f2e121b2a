// SPDX-License-Identifier: MIT
// The steps of a verification up to revocation. Each finds its first fault; what comes later in a
// chain is not looked at.
#pragma once

#include <string>
#include <vector>

#include "x509/judgement.h"

namespace tunnel::x509 {

[[nodiscard]] Reason outside_its_dates(const Judgement& judgement, gnutls_x509_crt_t crt);
[[nodiscard]] Reason too_weak(const Judgement& judgement, gnutls_x509_crt_t crt);
// Trust, dates, strength and purpose. Notes the path that was verified.
[[nodiscard]] Reason chain_fails(Judgement& judgement);
// After chain_fails: the certificates that a sentence about its fault may be about.
[[nodiscard]] std::vector<gnutls_x509_crt_t> suspects(const Judgement& judgement);
// What a status of GnuTLS means, in the order of what helps most to know.
[[nodiscard]] Verdict explain(const Judgement& judgement, unsigned status);
[[nodiscard]] Reason name_fails(const Judgement& judgement);
[[nodiscard]] Reason pin_fails(const Judgement& judgement);

}  // namespace tunnel::x509
