// SPDX-License-Identifier: MIT
// The sentences about a handshake or a connection that failed, but for those about alerts
// (alert_text.h), about what speaks in place of TLS (plaintext_text.h) and about the server's
// certificates (x509/certificate_text.h): what failed, where, why, and what to do. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/failure.h"
#include "tls/alert_text.h"

namespace tunnel::tls {

// `server_version` is what its ServerHello chose, 0x0302 for TLS 1.1, or 0 when it is not known.
[[nodiscard]] Failure wrong_version(std::string_view target, unsigned server_version);
[[nodiscard]] Failure handshake_failed(std::string_view target, int gnutls_error);
[[nodiscard]] Failure record_failed(std::string_view target, int gnutls_error);
[[nodiscard]] Failure no_fresh_keys(std::string_view target);
// `sent`: what it sent after the handshake and must not, "a record of more than 16384 bytes".
[[nodiscard]] Failure protocol_broken(std::string_view target, std::string_view sent);
[[nodiscard]] Failure renegotiation_began(std::string_view target);
[[nodiscard]] Failure resumed_without_fresh_keys(std::string_view target);
[[nodiscard]] std::string renegotiation_ignored(std::string_view target);
[[nodiscard]] Failure not_in_list(std::string_view target, std::string_view what,
                                  std::string_view chosen, std::string_view key);
[[nodiscard]] Failure too_many_warnings(std::string_view target);
[[nodiscard]] Failure out_of_room(std::string_view target);
[[nodiscard]] Failure cannot_begin(std::string_view target, int gnutls_error);

enum class Silence : std::uint8_t { closed, reset };
[[nodiscard]] Failure closed_in_handshake(std::string_view target, Silence how, bool said_anything);
[[nodiscard]] Failure ended_without_goodbye(std::string_view target, Silence how,
                                            Renegotiation renegotiation);
[[nodiscard]] Failure handshake_timeout(std::string_view target, Millis after, bool said_anything);

}  // namespace tunnel::tls
