// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace tunnel::x509 {

// A problem of a [NAME.tls] table that only loading could find: which key, which entry of it, what
// is wrong, and what to do. The caller knows the file and line of the key.
struct Problem {
  std::string key;  // "ca", "pin", "ciphers", ...
  int index = -1;   // entry of an array, or -1
  std::string text;
  std::string hint;
};

}  // namespace tunnel::x509
