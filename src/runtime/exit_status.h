// SPDX-License-Identifier: MIT
#pragma once

namespace tunnel::runtime {

// The process's exit status when it cannot start, or ends by itself: tunnel(1).
inline constexpr int kRunTimeError = 1;
inline constexpr int kConfigurationError = 2;

}  // namespace tunnel::runtime
