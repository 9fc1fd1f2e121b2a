// SPDX-License-Identifier: MIT
// Owners of GnuTLS's objects for keys; see x509/handles.h.
#pragma once

#include <memory>

#include "x509/handles.h"

namespace tunnel::keys {

using PrivateKey = std::unique_ptr<gnutls_privkey_st, x509::Free<&gnutls_privkey_deinit>>;
using PskCredentials = std::unique_ptr<gnutls_psk_client_credentials_st,
                                       x509::Free<&gnutls_psk_free_client_credentials>>;

}  // namespace tunnel::keys
