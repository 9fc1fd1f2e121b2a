// SPDX-License-Identifier: MIT
#include "uv/library.h"

#include <uv.h>

namespace tunnel::uv {

std::string library_version() { return std::string("libuv ") + uv_version_string(); }

}  // namespace tunnel::uv
