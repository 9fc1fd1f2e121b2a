// SPDX-License-Identifier: MIT
#include "tls/library.h"

#include <gnutls/gnutls.h>

#include "tls/aead_provider.h"

namespace tunnel::tls {

std::string library_version() {
  return std::string("GnuTLS ") + gnutls_check_version(nullptr) + ", AES-GCM by " +
         AeadChoice::of_process().provider.name();
}

}  // namespace tunnel::tls
