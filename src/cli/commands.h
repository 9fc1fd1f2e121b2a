// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace tunnel::cli {

// Does what the arguments ask for (without the program's name).
[[nodiscard]] Outcome execute(std::vector<std::string> arguments, const Machinery& machinery);

}  // namespace tunnel::cli
