// SPDX-License-Identifier: MIT
// What policies are called, and what they do, for people. No state; any thread.
#pragma once

#include <string_view>

#include "config/model.h"

namespace tunnel::balance {

// As the configuration has it: "round-robin".
[[nodiscard]] std::string_view word(config::Balance policy);

// Which target of a group gets a connection: "each in turn", "the first that can be chosen".
[[nodiscard]] std::string_view meaning(config::Balance policy);

}  // namespace tunnel::balance
