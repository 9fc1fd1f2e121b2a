// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/document.h"

namespace tunnel::runtime {

// Loads every credential that the configuration names and adds the problems to the document: what
// `check` needs on top of reading. Returns the warnings that each start would log.
std::vector<std::string> check_credentials(config::Document& document);

// Runs the services until the process is to stop; becomes a daemon first unless `foreground`. The
// document has no errors; `read_again` gives it as it is later, for a reload. Problems go to
// standard error. `ready_fd`, unless it is -1, is a descriptor that gets a line when the services
// are served. Returns the exit status: 0 ended as asked, 1 failed at run time, 2 nothing was
// started because of the configuration.
[[nodiscard]] int run(config::Document document, std::function<config::Document()> read_again,
                      int ready_fd);

}  // namespace tunnel::runtime
