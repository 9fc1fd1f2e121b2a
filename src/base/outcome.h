// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/kind.h"

namespace tunnel {

// Who ended a connection.
enum class Side : std::uint8_t { client, server, tunnel };
[[nodiscard]] std::string_view word(Side side);

// How a connection ended, whether or not it ever reached a target.
struct Outcome {
  Kind kind = Kind::ok;
  Side side = Side::tunnel;
  std::string text;  // a sentence; for an orderly end usually none

  // Not in order, and not because the process was stopped.
  [[nodiscard]] bool has_failed() const { return kind != Kind::ok && kind != Kind::stopped; }
};

}  // namespace tunnel
