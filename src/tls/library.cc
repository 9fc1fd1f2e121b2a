// SPDX-License-Identifier: MIT
#include "tls/library.h"

#include <gnutls/gnutls.h>

namespace tunnel::tls {

std::string library_version() { return std::string("GnuTLS ") + gnutls_check_version(nullptr); }

}  // namespace tunnel::tls
