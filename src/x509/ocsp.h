// SPDX-License-Identifier: MIT
#pragma once

#include <ctime>
#include <limits>

#include "config/model.h"
#include "x509/handles.h"

namespace tunnel::x509 {

// What a stapled OCSP response (RFC 6960, RFC 6066 section 8) says of the server's certificate.
struct OcspFinding {
  enum class State {
    good,
    absent,  // nothing was stapled, or the responder had no answer to give
    revoked,
    invalid,  // there is an answer, and it cannot be relied on
  };
  State state = State::absent;
  std::time_t revoked_at = 0;
  // good: until when it can be relied on
  std::time_t good_until = std::numeric_limits<std::time_t>::max();
  const char* why = "";  // invalid or absent: "stapled an OCSP response that ...", static text
};

// `issuer` has verifiably signed `leaf`. Judges a DER-encoded response; empty is absent.
[[nodiscard]] OcspFinding check_ocsp(const gnutls_datum_t& response, gnutls_x509_crt_t leaf,
                                     gnutls_x509_crt_t issuer, std::time_t now,
                                     unsigned verify_flags);

// Whether a certificate demands a stapled response (RFC 7633, "must-staple").
[[nodiscard]] bool must_staple(gnutls_x509_crt_t leaf);

}  // namespace tunnel::x509
