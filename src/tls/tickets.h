// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace tunnel::tls {

// Whether a session may offer what is kept for its server.
enum class Tickets : std::uint8_t {
  welcome,
  // The handshake before this one offered a ticket and failed. This one does without, and if it
  // goes well the tickets of that server rest for a while.
  suspected,
};

}  // namespace tunnel::tls
