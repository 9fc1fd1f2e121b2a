// SPDX-License-Identifier: MIT
// Owners of GnuTLS's objects for keys; see x509/handles.h.
#pragma once

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include <memory>

namespace tunnel::keys {

struct FreePrivateKey {
  void operator()(gnutls_privkey_t key) const { gnutls_privkey_deinit(key); }
};
using PrivateKey = std::unique_ptr<gnutls_privkey_st, FreePrivateKey>;

struct FreePskCredentials {
  void operator()(gnutls_psk_client_credentials_t credentials) const {
    gnutls_psk_free_client_credentials(credentials);
  }
};
using PskCredentials = std::unique_ptr<gnutls_psk_client_credentials_st, FreePskCredentials>;

}  // namespace tunnel::keys
