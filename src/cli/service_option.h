// SPDX-License-Identifier: MIT
// Services from the command line, without a file: --service NAME=ACCEPT,TARGET[,TARGET...].
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace tunnel::cli {

// They are read as a file of this name would be: so messages quote it.
inline constexpr const char* kServiceOption = "--service";

struct ServiceOptions {
  std::string toml;  // the file that means the same
  std::string name;  // of the first one: what the control socket is named after
};

// An error is a usage error: one sentence.
[[nodiscard]] Result<ServiceOptions> read_service_options(const std::vector<std::string>& options);

}  // namespace tunnel::cli
