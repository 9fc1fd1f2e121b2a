// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace tunnel {

// Why a connection or a dial ended: the stable words of the log, for machines. Part of the public
// contract: a word is never renamed or reused. kind.cc holds the table of words.
enum class Kind : std::uint8_t {
  ok,
  resolve_failed,
  connect_refused,
  connect_timeout,
  unreachable,
  proxy_refused,
  starttls_refused,
  not_tls,
  tls_timeout,
  tls_alert,
  tls_failed,
  cert_untrusted,
  cert_expired,
  cert_not_yet_valid,
  cert_name_mismatch,
  cert_revoked,
  crl_unusable,
  pin_mismatch,
  client_cert_rejected,
  tls_version,
  tls_closed,
  ocsp_failed,
  cert_weak,
  truncated,
  reset_by_client,
  reset_by_server,
  idle_timeout,
  half_close_timeout,
  connection_lost,
  client_denied,
  stopped,
  no_target,
  cert_key_usage,
  check_failed,  // an active check got an answer that no healthy server gives
  closed_by_operator,
};

inline constexpr int kKindCount = static_cast<int>(Kind::closed_by_operator) + 1;

[[nodiscard]] std::string_view word(Kind kind);

}  // namespace tunnel
