// SPDX-License-Identifier: MIT
#pragma once

#include <ctime>

namespace tunnel::x509 {

// A list or a response made by a clock that is a little ahead of ours is not from the future.
// Seconds.
inline constexpr std::time_t kClockTolerance = 300;

}  // namespace tunnel::x509
