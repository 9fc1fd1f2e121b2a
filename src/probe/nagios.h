// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "probe/report.h"

namespace tunnel::probe {

// What a monitoring plugin says: its exit status, and a line with performance data, then details.
struct PluginResult {
  int status = 0;  // 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
  std::string text;
};

// Days that certificates in use must have left.
struct DayLimits {
  long warning = 30;
  long critical = 7;
};

// By the guidelines for monitoring plugins: ranges as "30:", one pipe. Pure; any thread.
[[nodiscard]] PluginResult to_nagios(const Report& report, const DayLimits& limits);
// When there is no report: usage, configuration.
[[nodiscard]] PluginResult nagios_unknown(const std::string& why);

}  // namespace tunnel::probe
