// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>
#include <thread>
#include <utility>

#include "base/result.h"

namespace tunnel {

// A thread that runs `body`, or the error that there can be no further one: the limits of the user,
// of the control group or of memory are reached. The constructor itself says so by an exception, which
// would end the process.
template <class Body>
[[nodiscard]] Result<std::thread> start_thread(Body body) {
  try {
    return std::thread(std::move(body));
  } catch (const std::system_error& error) {
    return failed(ErrorCode::exhausted, "cannot start a thread", error.code().value());
  }
}

}  // namespace tunnel
