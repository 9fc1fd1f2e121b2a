// SPDX-License-Identifier: MIT
// What a certificate says, as text for sentences. Pure; any thread.
#pragma once

#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "x509/handles.h"

namespace tunnel::x509 {

// "CN=dc1.example.com,O=Example" (RFC 4514), made safe to print; "" when there is none.
[[nodiscard]] std::string subject_of(gnutls_x509_crt_t crt);
[[nodiscard]] std::string issuer_of(gnutls_x509_crt_t crt);

// A subject alternative name as it is in the certificate: an address is 4 or 16 raw bytes.
struct AlternativeName {
  unsigned type;  // GNUTLS_SAN_...
  std::string value;
};
[[nodiscard]] std::vector<AlternativeName> alternative_names(gnutls_x509_crt_t crt);
// "10.0.0.1", of its 4 or 16 bytes.
[[nodiscard]] std::string address_text(std::string_view raw);
[[nodiscard]] std::string common_name_of(gnutls_x509_crt_t crt);

// The names the certificate is for, quoted: `"a.example", "10.0.0.1"`; "" when it names nobody.
[[nodiscard]] std::string names_of(gnutls_x509_crt_t crt);

// SHA-256 of the SubjectPublicKeyInfo (RFC 7469), 32 raw bytes; empty when it cannot be computed.
[[nodiscard]] std::string spki_sha256(gnutls_x509_crt_t crt);

// DER encoding.
[[nodiscard]] std::string der_of(gnutls_x509_crt_t crt);

// "2026-01-31 13:05 UTC".
[[nodiscard]] std::string date_text(std::time_t when);
// "2026-01-31T13:05:00Z" (RFC 3339).
[[nodiscard]] std::string timestamp(std::time_t when);

// "3 days", "2 hours", "1 minute", "40 seconds": the largest unit that fits.
[[nodiscard]] std::string span_text(std::time_t seconds);

}  // namespace tunnel::x509
