// SPDX-License-Identifier: MIT
// Owners of GnuTLS's objects for a session; see x509/handles.h.
#pragma once

#include <memory>

#include "x509/handles.h"

namespace tunnel::tls {

using PriorityHandle = std::unique_ptr<gnutls_priority_st, x509::Free<&gnutls_priority_deinit>>;
using Credentials = std::unique_ptr<gnutls_certificate_credentials_st,
                                    x509::Free<&gnutls_certificate_free_credentials>>;
using SessionHandle = std::unique_ptr<gnutls_session_int, x509::Free<&gnutls_deinit>>;

}  // namespace tunnel::tls
