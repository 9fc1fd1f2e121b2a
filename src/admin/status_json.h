// SPDX-License-Identifier: MIT
#pragma once

#include "admin/protocol.h"
#include "admin/status.h"

namespace tunnel::admin {

// Status as JSON: what `tunnel status --json` prints and /status.json serves. Durations are
// seconds, times RFC 3339 in UTC, absent values null. Pure; any thread.
[[nodiscard]] Json to_json(const Status& status);
[[nodiscard]] Json to_json(const ConnectionStatus& connection);

// "2026-11-26T19:00:00Z"
[[nodiscard]] std::string rfc3339(WallTime time);

}  // namespace tunnel::admin
