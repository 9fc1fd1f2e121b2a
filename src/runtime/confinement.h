// SPDX-License-Identifier: MIT
// Between the configuration and the sandbox: what of the first the second has to leave open.
#pragma once

#include "admin/status.h"
#include "config/document.h"
#include "sandbox/needs.h"
#include "sandbox/sandbox.h"

namespace tunnel::runtime {

// What a configuration needs while it is in force, its own files for reloads among it.
[[nodiscard]] sandbox::Needs needs_of(const config::Document& document);
// The same for services whose settings are at hand, without those files.
[[nodiscard]] sandbox::Needs needs_of(const config::Config& config);
// And with the control socket, whose place is the process's for good. To be asked as the user that
// the process is started as.
[[nodiscard]] sandbox::Needs needs_of_process(const config::Document& document);

// Gives up the rest; NOTIFY_SOCKET stays in reach.
[[nodiscard]] sandbox::Sandbox confine(const sandbox::Needs& needs, config::Sandbox mode);

[[nodiscard]] admin::SandboxStatus status_of(const sandbox::Report& report);

}  // namespace tunnel::runtime
