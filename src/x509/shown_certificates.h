// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "x509/verdict.h"

namespace tunnel::x509 {

// A server may show as many certificates as this. Real chains have two to four.
inline constexpr std::size_t kMaxShown = 16;

enum class CertificateForm : std::uint8_t { tls12, tls13 };

// Whether a handshake has to end at the body of a Certificate message (RFC 5246 section 7.4.2, RFC
// 8446 section 4.4.2), before anything is computed with the keys in it: anybody may send it. Says
// nothing about trust; what is malformed is left for GnuTLS to refuse. Pure; any thread.
[[nodiscard]] std::optional<Verdict> refuse_at_sight(std::string_view message, CertificateForm form,
                                                     std::string_view target);

}  // namespace tunnel::x509
