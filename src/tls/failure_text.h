// SPDX-License-Identifier: MIT
// Every sentence about a handshake or a connection that failed, but for those about the server's
// certificates (certificate_text.h): what failed, where, why, and what to do. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/failure.h"
#include "tls/greeting.h"

namespace tunnel::tls {

// Whether the server has sent a HelloRequest (TLS 1.2).
enum class Renegotiation : std::uint8_t { not_asked, ignored };

// When an alert arrived: what it means depends on it.
struct AlertContext {
  bool certificate_requested = false;  // the server asked for a client certificate
  std::string_view certificate = {};   // the one it was shown, "" when there is none to show
  std::string_view psk_identity = {};  // of the pre-shared key it was offered, "" for none
  bool established = false;            // after the handshake, as we see it
  bool data_received = false;          // after the first application byte
  Renegotiation renegotiation = Renegotiation::not_asked;
};
// `alert` is a number: a server may send any, also such as no enumeration has.
[[nodiscard]] Failure alert_received(std::string_view target, std::uint8_t alert,
                                     const AlertContext& context);
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

[[nodiscard]] Failure not_tls(std::string_view target, Bytes said);
enum class Silence : std::uint8_t { closed, reset };
[[nodiscard]] Failure closed_in_handshake(std::string_view target, Silence how, bool said_anything);
[[nodiscard]] Failure ended_without_goodbye(std::string_view target, Silence how,
                                            Renegotiation renegotiation);
[[nodiscard]] Failure handshake_timeout(std::string_view target, Millis after, bool said_anything);

}  // namespace tunnel::tls
