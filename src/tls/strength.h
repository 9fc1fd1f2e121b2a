// SPDX-License-Identifier: MIT
#pragma once

#include "tls/handles.h"

namespace tunnel::tls {

// The least level of the keys and signatures of certificates that a verification with these flags
// accepts: the profile in them (GNUTLS_PROFILE_TO_VFLAGS).
[[nodiscard]] gnutls_sec_param_t least_level(unsigned verify_flags);

}  // namespace tunnel::tls
