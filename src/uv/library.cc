// SPDX-License-Identifier: MIT
#include "uv/library.h"

#include <uv.h>

namespace tunnel::uv {

std::string library_version() { return std::string("libuv ") + uv_version_string(); }

std::string error_text(int uv_error) {
  char text[128];
  return ::uv_strerror_r(uv_error, text, sizeof text);
}

}  // namespace tunnel::uv
