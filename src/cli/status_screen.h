// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "admin/protocol.h"
#include "base/result.h"

namespace tunnel::cli {

// `tunnel status --watch`: draws the status again and again on the terminal, in plain escapes,
// until `q` or a signal; the terminal is left as it was. `ask` gives the status. Blocking; an error
// is why it could not begin or go on.
[[nodiscard]] Result<void> watch_status(const std::function<Result<admin::Json>()>& ask);

}  // namespace tunnel::cli
