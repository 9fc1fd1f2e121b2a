// SPDX-License-Identifier: MIT
#pragma once

namespace tunnel::process {

// Ends the process without waiting for any thread, lock or destructor. TCP connections are reset:
// an end that is forced must not look to a client like the orderly end of what it was reading. Any
// thread.
[[noreturn]] void end_at_once(int exit_status);

}  // namespace tunnel::process
