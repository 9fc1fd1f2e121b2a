// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "admin/admin_actions.h"
#include "admin/protocol.h"

namespace tunnel::admin {

// Carries out one request line and answers it with one line, at once or later. What is wrong with
// the request itself is answered here; the rest is up to `actions`. An answer without end takes the
// connection over.
void execute(std::string_view line, const Operator& by, AdminActions& actions,
             std::function<void(const std::string& line)> answer,
             std::function<Fd()> take_over = {});

}  // namespace tunnel::admin
