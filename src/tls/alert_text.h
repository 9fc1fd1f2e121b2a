// SPDX-License-Identifier: MIT
// What the alerts of a server mean, as sentences. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/failure.h"

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
// Ends a sentence in which the server asked for "a TLS 1.2 renegotiation".
inline constexpr std::string_view kNoRenegotiation =
    ", which is never done: if it wants a client certificate, it has to ask for it in the "
    "handshake";

}  // namespace tunnel::tls
