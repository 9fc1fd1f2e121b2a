// SPDX-License-Identifier: MIT
#pragma once

#include <ctime>
#include <string>
#include <vector>

namespace tunnel::x509 {

// The certificates that a verification has relied on. Immutable: sessions share it, and who shows
// it.
struct TrustedPath {
  std::vector<std::string> subjects;  // from the server's own to the anchor
  std::time_t until = 0;              // the earliest end among them; 0: not known
};

}  // namespace tunnel::x509
