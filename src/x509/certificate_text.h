// SPDX-License-Identifier: MIT
// Every sentence about certificates of a server that are not accepted: what failed, where, why, and
// what to do. Pure; any thread.
#pragma once

#include <gnutls/gnutls.h>

#include <cstddef>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "base/failure.h"

namespace tunnel::x509 {

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

}  // namespace tunnel::x509
