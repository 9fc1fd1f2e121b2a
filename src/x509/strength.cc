// SPDX-License-Identifier: MIT
#include "x509/strength.h"

namespace tunnel::x509 {

gnutls_sec_param_t least_level(unsigned verify_flags) {
  switch ((verify_flags & GNUTLS_VFLAGS_PROFILE_MASK) >> 24) {
    case GNUTLS_PROFILE_VERY_WEAK:
      return GNUTLS_SEC_PARAM_VERY_WEAK;
    case GNUTLS_PROFILE_LOW:
      return GNUTLS_SEC_PARAM_LOW;
    case GNUTLS_PROFILE_LEGACY:
      return GNUTLS_SEC_PARAM_LEGACY;
    case GNUTLS_PROFILE_HIGH:
    case GNUTLS_PROFILE_SUITEB128:
      return GNUTLS_SEC_PARAM_HIGH;
    case GNUTLS_PROFILE_ULTRA:
    case GNUTLS_PROFILE_SUITEB192:
      return GNUTLS_SEC_PARAM_ULTRA;
    case GNUTLS_PROFILE_FUTURE:
      return GNUTLS_SEC_PARAM_FUTURE;
    default:
      return GNUTLS_SEC_PARAM_MEDIUM;
  }
}

}  // namespace tunnel::x509
