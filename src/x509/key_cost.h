// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace tunnel::x509 {

// Keys beyond these cost a worker milliseconds to minutes for one signature, which anybody who
// answers the dial may make it check. GnuTLS has no bound of its own.
inline constexpr unsigned kMaxRsaBits = 16384;
inline constexpr unsigned kMaxRsaExponentBits = 64;
inline constexpr unsigned kMaxDsaBits = 3072;
inline constexpr unsigned kMaxDsaOrderBits = 256;

// What of the public key in a certificate (DER) is beyond the bounds: "has a 32768-bit RSA key",
// or "" when nothing is, or when no certificate can be read there. Computes nothing with the key.
// Pure; any thread.
[[nodiscard]] std::string costly_key(std::string_view certificate);

}  // namespace tunnel::x509
