// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "admin/control_client.h"
#include "base/result.h"
#include "cli/command.h"

namespace tunnel::cli {

// The running instance of a configuration, for the commands that speak to it. A value.
struct Instance {
  std::string config;
  std::string control;  // from --control; empty: where the configuration has it

  // An error is a sentence for people.
  [[nodiscard]] Result<admin::ControlClient> connect() const;
};

// An answer of the instance as a command prints it: its lines, or the JSON itself. One that is a
// refusal goes to standard error, with status 1.
enum class Form { text, json };
[[nodiscard]] Outcome printed(const admin::Json& answer, Form form);
[[nodiscard]] Outcome unreachable(const Error& error);

}  // namespace tunnel::cli
