// SPDX-License-Identifier: MIT
#pragma once

#include "base/result.h"
#include "sandbox/rules.h"

namespace tunnel::sandbox {

// Which version of Landlock the kernel has; 0: none. 1 knows files, 4 TCP ports, 6 signals and
// abstract unix sockets.
[[nodiscard]] int landlock_version();
inline constexpr int kLandlockPorts = 4;

// Apart from what Rules say.
struct LandlockOptions {
  int version = 0;
  bool keeps_abstract_sockets = true;  // no others than this process's own
};

// Puts the rules in force for the calling thread and all that it starts; for good. It needs "no new
// privileges", or CAP_SYS_ADMIN. A place that is gone is left out.
[[nodiscard]] Result<void> restrict_by_landlock(const Rules& rules, const LandlockOptions& options);

}  // namespace tunnel::sandbox
