// SPDX-License-Identifier: MIT
#pragma once

#include "config/document.h"

namespace tunnel::runtime {

// Loads every credential that the configuration names and adds the problems to the document: what
// `check` needs on top of reading. Returns the warnings that each start would log.
std::vector<std::string> check_credentials(config::Document& document);

// Runs the services until told to stop; becomes a daemon first unless `foreground`. The document
// has no errors. Problems go to standard error. Returns the exit status (SPEC section 1).
[[nodiscard]] int run(config::Document document);

}  // namespace tunnel::runtime
