// SPDX-License-Identifier: MIT
// What a valid configuration will do, in words: what `tunnel check` prints.
#pragma once

#include <string>

#include "config/model.h"

namespace tunnel::cli {

[[nodiscard]] std::string summary(const config::Config& config);

}  // namespace tunnel::cli
