// SPDX-License-Identifier: MIT
#include "base/kind.h"

#include <array>

namespace tunnel {
namespace {

constexpr std::array<std::string_view, kKindCount> kWords = {
    "ok",
    "resolve_failed",
    "connect_refused",
    "connect_timeout",
    "unreachable",
    "proxy_refused",
    "starttls_refused",
    "not_tls",
    "tls_timeout",
    "tls_alert",
    "tls_failed",
    "cert_untrusted",
    "cert_expired",
    "cert_not_yet_valid",
    "cert_name_mismatch",
    "cert_revoked",
    "crl_unusable",
    "pin_mismatch",
    "client_cert_rejected",
    "tls_version",
    "tls_closed",
    "ocsp_failed",
    "cert_weak",
    "truncated",
    "reset_by_client",
    "reset_by_server",
    "idle_timeout",
    "half_close_timeout",
    "connection_lost",
    "client_denied",
    "stopped",
    "no_target",
    "cert_key_usage",
    "check_failed",
    "closed_by_operator",
};
static_assert(!kWords.back().empty(), "one word for each Kind");

}  // namespace

std::string_view word(Kind kind) { return kWords[static_cast<std::size_t>(kind)]; }

}  // namespace tunnel
