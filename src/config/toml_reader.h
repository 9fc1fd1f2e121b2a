// SPDX-License-Identifier: MIT
// TOML text to a tree of Values. The only file pair that knows toml++ (the .cc includes it).
#pragma once

#include <optional>
#include <set>
#include <string>

#include "config/diagnostic.h"
#include "config/foreign.h"
#include "config/value.h"

namespace tunnel::config {

struct TomlReading {
  // The file's root table without what is broken; nothing when no TOML could be made out.
  std::optional<Value> root;
  // Top tables that miss a setting for a syntax error ("" stands for the global keys): what they
  // lack cannot be held against them.
  std::set<std::string> incomplete;
};

// Syntax errors are reported one for each broken statement; what is not TOML at all is recognised,
// a stunnel.conf with the help of `foreign`.
[[nodiscard]] TomlReading read_toml(Diagnostics& diagnostics, std::uint32_t file,
                                    const Foreign& foreign);

}  // namespace tunnel::config
