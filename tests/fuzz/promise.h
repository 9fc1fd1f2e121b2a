// SPDX-License-Identifier: MIT
// What fuzz targets demand: a promise that is broken ends them, as a crash would.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace tunnel {

inline void require(bool condition, const char* what) {
  if (condition) return;
  (void)std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

inline void require_printable(std::string_view text) {
  for (const char c : text) {
    require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "text is printable");
  }
}

}  // namespace tunnel
