// SPDX-License-Identifier: MIT
#pragma once

#include "base/result.h"
#include "sandbox/rules.h"

namespace tunnel::sandbox {

// Which version of Landlock the kernel has; 0: none. 1 knows files, 4 TCP ports, 6 signals and
// abstract unix sockets.
[[nodiscard]] int landlock_version();
inline constexpr int kLandlockPorts = 4;
inline constexpr int kLandlockScopes = 6;

// Puts the rules in force for the calling thread and all that it starts; for good. It needs "no new
// privileges", or CAP_SYS_ADMIN. A place that is gone is left out.
[[nodiscard]] Result<void> restrict_by_landlock(const Rules& rules, int version);

}  // namespace tunnel::sandbox
