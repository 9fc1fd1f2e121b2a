// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

namespace tunnel::x509 {

// A certificate as `openssl x509 -trustout` writes it ("BEGIN TRUSTED CERTIFICATE"): DER, and
// behind it what it may be trusted for.
struct TrustedCertificate {
  std::string_view der;        // the certificate alone; a view of what was split
  bool is_for_servers = true;  // as an authority: it may vouch for TLS servers
};

// Nothing when it is not one. Pure.
[[nodiscard]] std::optional<TrustedCertificate> split_trusted(std::string_view content);

}  // namespace tunnel::x509
