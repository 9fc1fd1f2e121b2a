// SPDX-License-Identifier: MIT
// Reads a stunnel.conf with everything that it includes into a tree of the keys that TOML has:
// every section a table, what stands before the first one global keys. Problems are reported and
// reading goes on; everything after the tree is the same for both kinds of file.
#pragma once

#include <cstdint>
#include <optional>

#include "config/diagnostic.h"
#include "config/foreign.h"
#include "config/reader.h"

namespace tunnel::import {

// Nothing, after an error, when the file is TOML.
[[nodiscard]] std::optional<config::Translation> read_stunnel(config::Diagnostics& diagnostics,
                                                              config::Reader& reader,
                                                              std::uint32_t file);

}  // namespace tunnel::import
