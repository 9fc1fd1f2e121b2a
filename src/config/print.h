// SPDX-License-Identifier: MIT
// The model as canonical TOML: what differs from the defaults, in the order of the option table, in
// the plainest form. Reading it gives the same model.
#pragma once

#include <string>

#include "config/model.h"

namespace tunnel::config {

[[nodiscard]] std::string print(const Config& config);

}  // namespace tunnel::config
