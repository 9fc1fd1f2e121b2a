// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace tunnel::uv {

// The libuv in use at run time, "libuv 1.44.2". Any thread.
[[nodiscard]] std::string library_version();

// What libuv says about an error: "connection refused". Its uv_strerror() leaks what it says about
// an error that it does not know (1.44 does not know ENOBUFS). Any thread.
[[nodiscard]] std::string error_text(int uv_error);

}  // namespace tunnel::uv
