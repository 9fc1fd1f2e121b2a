// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "balance/health.h"
#include "base/kind.h"
#include "log/log.h"

namespace tunnel {

// The lines that tell of a target's health, from whichever side it was noticed (a dial or a check).
// Exactly one caller gets each transition, so each change is one line.
void log_ejected(log::Log& log, std::string_view service, std::string_view target, Kind kind,
                 std::string_view reason, const balance::Transition& transition);
void log_restored(log::Log& log, std::string_view service, std::string_view target,
                  const balance::Transition& transition);

}  // namespace tunnel
