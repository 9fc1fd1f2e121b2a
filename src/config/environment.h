// SPDX-License-Identifier: MIT
// `expand_environment`: what the process's environment says, in the strings of a configuration.
// Blocking: no; any thread, while nobody changes the environment.
#pragma once

#include "config/reader.h"
#include "config/value.h"

namespace tunnel::config {

// The tree with each ${NAME} of its strings replaced by the variable of that name; a variable that
// is not set is reported where it is named. `$${` stands for `${`. Keys stay as they are.
[[nodiscard]] Value expanded(Reader& reader, const Value& tree);

}  // namespace tunnel::config
