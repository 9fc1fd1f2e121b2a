// SPDX-License-Identifier: MIT
#include "base/outcome.h"

namespace tunnel {

std::string_view word(Side side) {
  switch (side) {
    case Side::client:
      return "client";
    case Side::server:
      return "server";
    case Side::tunnel:
      break;
  }
  return "tunnel";
}

}  // namespace tunnel
