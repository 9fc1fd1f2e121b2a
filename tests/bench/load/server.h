// SPDX-License-Identifier: MIT
#pragma once

namespace load {

// Serves the load's clients on a unix socket until the process is ended: the plain end behind the
// TLS server. Prints "ready".
[[noreturn]] void serve(const char* path);

}  // namespace load
