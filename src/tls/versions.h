// SPDX-License-Identifier: MIT
#pragma once

#include <gnutls/gnutls.h>

#include "config/model.h"

namespace tunnel::tls {

// A version of TLS, as the configuration and as GnuTLS know it.
struct Version {
  config::TlsVersion config;
  gnutls_protocol_t id;
  const char* name;
};
inline constexpr Version kVersions[] = {
    // best first: the order of the offer
    {config::TlsVersion::tls1_3, GNUTLS_TLS1_3, "1.3"},
    {config::TlsVersion::tls1_2, GNUTLS_TLS1_2, "1.2"},
    {config::TlsVersion::tls1_1, GNUTLS_TLS1_1, "1.1"},
    {config::TlsVersion::tls1_0, GNUTLS_TLS1_0, "1.0"},
};

}  // namespace tunnel::tls
