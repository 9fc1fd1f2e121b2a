// SPDX-License-Identifier: MIT
// When the certificates and lists end that a configuration names on this machine: for `tunnel
// check`.
#pragma once

#include <ctime>
#include <string>

#include "config/document.h"

namespace tunnel::cli {

// Reads the files of a document without errors, and prints one line each, in the order of their
// ends; "" when there are none. Warns of what ends within 30 days. Blocking.
[[nodiscard]] std::string endings(config::Document& document, std::time_t now);

}  // namespace tunnel::cli
