// SPDX-License-Identifier: MIT
// Every sentence that this room says about a failed session: what failed, where, why, and what to
// do. Pure; any thread.
#pragma once

#include <gnutls/gnutls.h>

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/failure.h"
#include "tls/greeting.h"

namespace tunnel::tls {

// ---- certificates (certificate_text.cc)

// The subject of a sentence: "certificate of dc1.example.com:636", and of one above it.
[[nodiscard]] std::string certificate_of(std::string_view target);
[[nodiscard]] std::string ca_certificate_of(std::string_view target, std::string_view subject);

[[nodiscard]] Failure no_certificate(std::string_view target);
[[nodiscard]] Failure psk_not_used(std::string_view target);
[[nodiscard]] Failure expired(std::string_view certificate, std::time_t end, std::time_t now);
[[nodiscard]] Failure not_yet_valid(std::string_view certificate, std::time_t begin,
                                    std::time_t now);
// `level`: the least that was asked for.
[[nodiscard]] Failure weak(std::string_view certificate, std::string_view what,
                           gnutls_sec_param_t level);
[[nodiscard]] Failure weak_somewhere(std::string_view target);
[[nodiscard]] Failure costly(std::string_view certificate, std::string_view what);
[[nodiscard]] Failure too_many_certificates(std::string_view target, std::size_t count,
                                            std::size_t most);
[[nodiscard]] Failure self_signed(std::string_view target, std::string_view subject,
                                  std::string_view anchors, std::string_view pin);
[[nodiscard]] Failure unknown_issuer(std::string_view target, std::string_view issuer,
                                     std::string_view anchors, std::size_t chain_length);
[[nodiscard]] Failure bad_chain(std::string_view target, std::string_view why);
[[nodiscard]] Failure wrong_purpose(std::string_view target);
[[nodiscard]] Failure wrong_name(std::string_view target, std::string_view names_in_certificate,
                                 const std::vector<std::string>& wanted);
[[nodiscard]] Failure address_as_text(std::string_view target, std::string_view address);
// `usage`: what is missing of the key's usage; `exchange`: what for.
[[nodiscard]] Failure wrong_key_usage(std::string_view target, std::string_view usage,
                                      std::string_view exchange);
[[nodiscard]] Failure wrong_pin(std::string_view target, std::string_view actual_sha256_base64);
// `instead`: what tls.peer_certs has.
[[nodiscard]] Failure wrong_peer(std::string_view target, std::string_view subject,
                                 std::string_view actual_sha256_base64, std::string_view instead);
// `by`: "the CRL /etc/crl.pem", "its stapled OCSP response"; `when` 0 when it is not known.
[[nodiscard]] Failure revoked(std::string_view certificate, std::time_t when, std::string_view by);
[[nodiscard]] Failure crl_missing(std::string_view certificate, std::string_view issuer);
[[nodiscard]] Failure crl_unusable(std::string_view certificate, std::string_view issuer,
                                   std::string_view why);
[[nodiscard]] Failure ocsp_failed(std::string_view target, std::string_view why,
                                  std::string_view what_to_do);

// ---- the handshake and the connection (failure_text.cc)

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
