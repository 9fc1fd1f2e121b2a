// SPDX-License-Identifier: MIT
#pragma once

namespace tunnel::runtime {

// The process's exit status when what fails is not the configuration (that is 2): tunnel(1).
inline constexpr int kRunTimeError = 1;

}  // namespace tunnel::runtime
