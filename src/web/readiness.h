// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "admin/status.h"

namespace tunnel::web {

enum class Targets { ignored, wanted };

// Why no clients should be sent here, in a sentence; empty when they may. The listeners are bound
// as soon as anybody can ask. With Targets::wanted each service must also have a target that a new
// connection may go to. Pure.
[[nodiscard]] std::string why_not_ready(const admin::Status& status, Targets targets);

}  // namespace tunnel::web
