// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tunnel::process {

// How this process was started, so that what is installed there later can be started in the same
// way. A value.
struct Program {
  std::string path;                    // absolute; links in it are followed anew by each start
  std::string folder;                  // the working folder
  std::vector<std::string> arguments;  // with the name first

  // Of this process as it is: call before a daemon changes its folder.
  [[nodiscard]] static Result<Program> of_this_process();
};

// Of the process that has that folder in /proc, with its name first; none when it has gone, or is
// the kernel's.
[[nodiscard]] std::vector<std::string> arguments_of(const std::string& process);

// What a shell in `folder` would have run for `name`, with `search` as its PATH; empty: nothing.
[[nodiscard]] std::string find_program(const std::string& name, std::string_view search,
                                       const std::string& folder);

// The arguments without --ready-fd, whose descriptor was that of the first start.
[[nodiscard]] std::vector<std::string> without_ready_fd(std::vector<std::string> arguments);

}  // namespace tunnel::process
