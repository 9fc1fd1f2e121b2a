// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace tunnel {

// Arguments or an environment as execve(2) takes them: with a null pointer at the end. They point
// into `texts`.
[[nodiscard]] inline std::vector<char*> argv_of(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

}  // namespace tunnel
