// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace tunnel::uv {

// The libuv in use at run time, "libuv 1.44.2". Any thread.
[[nodiscard]] std::string library_version();

}  // namespace tunnel::uv
