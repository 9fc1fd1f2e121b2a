// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/kind.h"

namespace tunnel {

// Why what was tried with the other side failed: the word for machines, and a sentence for people
// that names who was asked.
struct Failure {
  Kind kind = Kind::ok;
  std::string text;
  bool is_local = false;  // the cause is on this side: no reason to think worse of the target
};

}  // namespace tunnel
