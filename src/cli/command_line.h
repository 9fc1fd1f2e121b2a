// SPDX-License-Identifier: MIT
// What the command line asks for. CLI11 and its exceptions stay in the .cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"

namespace tunnel::cli {

struct Invocation {
  enum class What { run, command, help, version };
  What what = What::run;
  CommonOptions common;
  std::string config;       // to be run; with services from the command line, the name of the first
  std::string text;         // of those services, as a file would say it; empty: config is a file
  bool is_stunnel = false;  // whatever its name is
  std::string help;         // the text, for What::help
  std::unique_ptr<Command> command;
};

// The arguments without the program's name. An error is a usage error: one sentence for people.
[[nodiscard]] Result<Invocation> parse_arguments(std::vector<std::string> arguments);

}  // namespace tunnel::cli
