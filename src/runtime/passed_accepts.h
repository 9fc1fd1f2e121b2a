// SPDX-License-Identifier: MIT
#pragma once

#include "config/document.h"
#include "process/passed_sockets.h"

namespace tunnel::runtime {

// accept = "fd:NAME" becomes the addresses of the sockets of that name. Every name that is asked
// for must be there, and every one that is there be asked for: problems go to the document.
void look_up_passed(config::Document& document, const process::PassedSockets& passed);

}  // namespace tunnel::runtime
