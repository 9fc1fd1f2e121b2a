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

void PhaseTimes::note(Phase phase, Micros took) {
  if (phase == Phase::resolving) resolve = took;
  if (phase == Phase::connecting) connect = took;
  if (phase == Phase::preamble) preamble = took;
  if (phase == Phase::handshaking) tls = took;
}

std::int64_t milliseconds(Micros phase) {
  return phase < Micros(0) ? -1 : std::chrono::duration_cast<Millis>(phase).count();
}

}  // namespace tunnel
