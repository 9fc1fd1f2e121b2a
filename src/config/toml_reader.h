// SPDX-License-Identifier: MIT
// TOML text to a tree of Values. The only file pair that knows toml++ (the .cc includes it).
#pragma once

#include <optional>

#include "config/diagnostic.h"
#include "config/value.h"

namespace tunnel::config {

// The file's root table; nullopt when the text is no TOML, which is then one error (or a few, for
// bytes that cannot be in a text file).
[[nodiscard]] std::optional<Value> read_toml(Diagnostics& diagnostics, std::uint32_t file);

}  // namespace tunnel::config
