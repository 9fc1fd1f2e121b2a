// SPDX-License-Identifier: MIT
// `tunnel convert`: other programs' configurations as TOML.
#pragma once

#include <span>
#include <string>

#include "base/result.h"

namespace tunnel::cli {

// The command line of another program, "balance" first, as a TOML file with comments that say what
// is different here. An error is a sentence, and how that program is used.
[[nodiscard]] Result<std::string> convert_command_line(std::span<const std::string> words);

}  // namespace tunnel::cli
