// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "config/model.h"

namespace tunnel::balance {

// In words, which targets of a service would serve in which order under which rule: whole
// sentences, one a line, for `tunnel check`.
[[nodiscard]] std::vector<std::string> describe(const config::Service& service);

}  // namespace tunnel::balance
