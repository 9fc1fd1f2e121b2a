// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace tunnel::cli {

// Whether the program was called by the name under which Wireshark runs it ("tunnelcap", a link in
// its extcap folder).
[[nodiscard]] bool is_extcap(const char* program);

// Speaks extcap: lists each service of each running instance as an interface, tells its options,
// and captures from one. `arguments` are those after the program's name.
[[nodiscard]] Outcome run_extcap(const std::vector<std::string>& arguments);

}  // namespace tunnel::cli
