// SPDX-License-Identifier: MIT
// How a start is reported while there is no log, or none that the caller reads. No state; main
// thread.
#pragma once

#include <string>

namespace tunnel::runtime {

// Where problems of the start are reported: standard error, which under inetd is the client's
// socket.
enum class Voice { standard_error, syslog };

void say(const std::string& error, Voice voice = Voice::standard_error);
void warn(const std::string& warning);  // on standard error

}  // namespace tunnel::runtime
