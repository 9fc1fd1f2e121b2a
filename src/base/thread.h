// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "base/result.h"

namespace tunnel {

// A thread that runs `body`, with a name of at most 15 characters for debuggers and top(1), and
// with all signals blocked: they are for the main thread, whose loop waits for them. Or the error
// that there can be no further one: the limits of the user, of the control group or of memory are
// reached. std::thread itself would say so by an exception, which would end the process. Any
// thread.
[[nodiscard]] Result<std::thread> start_thread(std::string name, std::function<void()> body);

}  // namespace tunnel
