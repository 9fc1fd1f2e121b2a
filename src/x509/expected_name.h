// SPDX-License-Identifier: MIT
// Whether a certificate bears a name that was asked for (RFC 6125, RFC 9525). Pure; any thread.
#pragma once

#include <string_view>

#include "x509/handles.h"

namespace tunnel::x509 {

// `name` is a DNS name, an IP address, "email:..." or "uri:...". An address counts only as an
// address, an email address or URI only as what it is, a URI byte by byte. A wildcard in the
// certificate is a whole first label; `verify_flags` may refuse it
// (GNUTLS_VERIFY_DO_NOT_ALLOW_WILDCARDS).
[[nodiscard]] bool bears_name(gnutls_x509_crt_t certificate, std::string_view name,
                              unsigned verify_flags = 0);

// Whether `name` is an IP address that the certificate has as text: in its common name or as a DNS
// name, where it does not count.
[[nodiscard]] bool has_address_as_text(gnutls_x509_crt_t certificate, std::string_view name);

}  // namespace tunnel::x509
