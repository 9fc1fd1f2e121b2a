// SPDX-License-Identifier: MIT
#pragma once

#include <fstream>
#include <sstream>
#include <string>

namespace tunnel::process {

// What a file in /proc holds; "" for one that cannot be read, as when its process has ended, before
// or meanwhile. (An istreambuf_iterator would throw then.)
[[nodiscard]] inline std::string proc_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace tunnel::process
