// SPDX-License-Identifier: MIT
// The command line of Inlab's balance 3.57 as a configuration, for `tunnel convert -- balance ...`.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/model.h"

namespace tunnel::import {

struct BalanceConversion {
  config::Config config;
  // What the reader of the result must know, one sentence a line, for comments above it: options
  // that have no meaning here, and what is done differently.
  std::vector<std::string> notes;
};

// `arguments` are those after the word "balance". An error's text is for people and ends with how
// balance is used. Looks up
// service names, and of host names that of -B.
[[nodiscard]] Result<BalanceConversion> convert_balance(std::span<const std::string> arguments);

}  // namespace tunnel::import
