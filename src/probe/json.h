// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "probe/report.h"

namespace tunnel::probe {

// One JSON object, as docs/probe.schema.json describes it, and a line feed. Pure; any thread.
[[nodiscard]] std::string to_json(const Report& report);

}  // namespace tunnel::probe
