// SPDX-License-Identifier: MIT
// The model as canonical TOML: what differs from the defaults, in the order of the option table, in
// the plainest form. Reading it gives the same model.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/model.h"
#include "config/remark.h"

namespace tunnel::config {

// Remarks become comments: above the line of their key, or above the table of their service where
// that key is at its default and not printed.
[[nodiscard]] std::string print(const Config& config, std::span<const Remark> remarks = {});

// Pieces of TOML: the name of a table or key, quoted where it must be; one string, or an array.
[[nodiscard]] std::string printed_key(const std::string& name);
[[nodiscard]] std::string printed_texts(const std::vector<std::string>& texts);

// A sentence as comment lines; those that follow the first are indented.
[[nodiscard]] std::string comment_lines(const std::string& sentence);

}  // namespace tunnel::config
