// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"

namespace tunnel {

// One connection at one moment, for people who look. A value.
struct ConnectionView {
  std::string service;
  std::uint64_t id = 0;
  std::string client;
  std::string target;  // empty: none yet
  std::string phase;   // "waiting", "dialling", "open", ...
  Millis age{0};
  std::optional<Millis> idle{};  // since the last byte either way; while it relays
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
  std::string tls{};
  std::optional<uid_t> uid{};  // of the client's process; on unix sockets only
};

}  // namespace tunnel
