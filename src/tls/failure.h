// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/kind.h"

namespace tunnel::tls {

// Why a session failed: the word for machines, a sentence for people that names the target.
struct Failure {
  Kind kind = Kind::ok;
  std::string text;
  bool is_local = false;  // the cause is on this side: it says nothing about the server
};

}  // namespace tunnel::tls
