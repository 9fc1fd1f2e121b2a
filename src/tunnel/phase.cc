// SPDX-License-Identifier: MIT
#include "tunnel/phase.h"

namespace tunnel {

std::string_view describe(Phase phase) {
  switch (phase) {
    case Phase::resolving:
      return "looking for its address";
    case Phase::connecting:
      return "connecting";
    case Phase::preamble:
      return "connected, speaking plaintext before TLS";
    case Phase::handshaking:
      return "connected, shaking hands";
    case Phase::established:
      return "established";
  }
  return "";
}

void PhaseTimes::note(Phase phase, Millis took) {
  const auto ms = static_cast<std::int32_t>(took.count());
  if (phase == Phase::resolving) resolve_ms = ms;
  if (phase == Phase::connecting) connect_ms = ms;
  if (phase == Phase::preamble) preamble_ms = ms;
  if (phase == Phase::handshaking) tls_ms = ms;
}

}  // namespace tunnel
