// SPDX-License-Identifier: MIT
#pragma once

namespace tunnel::log {

// Ordered: a line is written when its level is at or above (numerically: at or below) the limit.
enum class Level { error, warning, info, debug };

}  // namespace tunnel::log
