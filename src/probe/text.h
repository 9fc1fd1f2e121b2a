// SPDX-License-Identifier: MIT
#pragma once

#include <ctime>
#include <string>

#include "probe/report.h"

namespace tunnel::probe {

// For people, in lines. Pure; any thread.
[[nodiscard]] std::string to_text(const std::string& service, const TargetReport& target,
                                  std::time_t now);
// The last line: how many of how many work, and what ends first.
[[nodiscard]] std::string last_line(const Report& report);
// All of it.
[[nodiscard]] std::string to_text(const Report& report);

}  // namespace tunnel::probe
