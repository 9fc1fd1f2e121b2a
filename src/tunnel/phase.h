// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace tunnel {

// Where a dial is. The order is the order of life; `established` is its good end.
enum class Phase { resolving, connecting, preamble, handshaking, established };
[[nodiscard]] std::string_view describe(Phase phase);  // what is being done, for people

// How long the phases of the last attempt took; -1: never reached.
struct PhaseTimes {
  std::int32_t resolve_ms = -1;
  std::int32_t connect_ms = -1;
  std::int32_t preamble_ms = -1;
  std::int32_t tls_ms = -1;

  void note(Phase phase, Millis took);
};

}  // namespace tunnel
