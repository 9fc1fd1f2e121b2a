// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "base/result.h"

namespace tunnel::sandbox {

// The system calls that are allowed whatever their arguments are. Some others are with certain
// arguments; what is in no list fails with ENOSYS, so that the C library falls back on an older
// one. Names that this architecture lacks are passed over.
[[nodiscard]] std::span<const char* const> allowed_system_calls();
// Those that nothing of ours makes, and that end the process: somebody else's code is at work.
[[nodiscard]] std::span<const char* const> deadly_system_calls();

// Puts the filter in force for all threads of the process; for good. It needs "no new privileges",
// or CAP_SYS_ADMIN.
[[nodiscard]] Result<void> restrict_system_calls();

}  // namespace tunnel::sandbox
