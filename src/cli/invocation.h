// SPDX-License-Identifier: MIT
// What the command line asks for. A value; CLI11 and its exceptions stay in the .cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/level.h"

namespace tunnel::cli {

struct Invocation {
  enum class Command { run, check, convert, explain, help, version };
  Command command = Command::run;
  std::string config;                     // run, check, and a file to convert
  bool is_stunnel = false;                // whatever its name is
  std::string key;                        // explain; empty: all of them
  std::vector<std::string> command_line;  // convert: another program's, its name first
  bool foreground = false;
  std::optional<log::Level> log_level;
};

// The arguments without the program's name. An error is a usage error: one sentence for people.
[[nodiscard]] Result<Invocation> parse_arguments(std::vector<std::string> arguments);

// What --help prints.
[[nodiscard]] std::string_view usage();

}  // namespace tunnel::cli
