// SPDX-License-Identifier: MIT
#pragma once

#include "x509/handles.h"

namespace tunnel::x509 {

// The least level of the keys and signatures of certificates that a verification with these flags
// accepts: the profile in them (GNUTLS_PROFILE_TO_VFLAGS).
[[nodiscard]] gnutls_sec_param_t least_level(unsigned verify_flags);

}  // namespace tunnel::x509
