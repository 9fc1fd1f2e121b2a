// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "balance/health.h"
#include "base/kind.h"
#include "log/log.h"

namespace tunnel {

// The lines that tell of a target's health, from whichever side it was noticed (a dial or a check).
// Exactly one caller gets each transition, so each change is one line.

// Leaving the only target out would leave nothing: connections go on trying it.
enum class Choice { only_target, one_of_several };

// Where the sentence stands that says what failed: with the ejection, or in a line that follows and
// is about the connection.
enum class Sentence { with_the_ejection, in_a_later_line };

// `reason` is that sentence, or empty.
void log_ejected(log::Log& log, std::string_view service, std::string_view target, Kind kind,
                 std::string_view reason, Choice choice, const balance::Transition& transition);
void log_restored(log::Log& log, std::string_view service, std::string_view target,
                  const balance::Transition& transition);

}  // namespace tunnel
