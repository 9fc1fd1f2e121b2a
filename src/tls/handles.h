// SPDX-License-Identifier: MIT
// Owners of GnuTLS's objects for a session; see x509/handles.h.
#pragma once

#include <gnutls/gnutls.h>

#include <memory>

namespace tunnel::tls {

struct FreePriority {
  void operator()(gnutls_priority_t priority) const { gnutls_priority_deinit(priority); }
};
using PriorityHandle = std::unique_ptr<gnutls_priority_st, FreePriority>;

struct FreeCredentials {
  void operator()(gnutls_certificate_credentials_t credentials) const {
    gnutls_certificate_free_credentials(credentials);
  }
};
using Credentials = std::unique_ptr<gnutls_certificate_credentials_st, FreeCredentials>;

struct FreeSession {
  void operator()(gnutls_session_t session) const { gnutls_deinit(session); }
};
using SessionHandle = std::unique_ptr<gnutls_session_int, FreeSession>;

}  // namespace tunnel::tls
