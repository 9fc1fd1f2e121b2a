// SPDX-License-Identifier: MIT
// `tunnel convert`: other programs' configurations as TOML.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "config/document.h"

namespace tunnel::cli {

// The command line of another program, "balance" first, as a TOML file with comments that say what
// is different here. An error is a sentence, and how that program is used.
[[nodiscard]] Result<std::string> convert_command_line(std::span<const std::string> words);

// A stunnel.conf that was read without errors, as TOML that means the same, with comments where
// stunnel is not safe by itself and where it was told what has no effect here.
[[nodiscard]] Result<std::string> convert_file(const config::Document& document);

}  // namespace tunnel::cli
