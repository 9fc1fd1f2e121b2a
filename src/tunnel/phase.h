// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace tunnel {

// Where a dial is. The order is the order of life; `established` is its good end.
enum class Phase { resolving, connecting, preamble, handshaking, established };
[[nodiscard]] std::string_view describe(Phase phase);  // what is being done, for people

// How long the phases of the last attempt took.
struct PhaseTimes {
  static constexpr Micros kNever{-1};  // it was not reached
  Micros resolve = kNever;
  Micros connect = kNever;
  Micros preamble = kNever;
  Micros tls = kNever;

  void note(Phase phase, Micros took);
};
// As the log has it: whole milliseconds, -1 for what was not reached.
[[nodiscard]] std::int64_t milliseconds(Micros phase);

}  // namespace tunnel
