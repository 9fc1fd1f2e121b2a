// SPDX-License-Identifier: MIT
// Addresses as stunnel.conf writes them, `[HOST:]PORT` or the path of a unix socket, in the form
// that TOML has for them. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tunnel::import {

struct StunnelAddress {
  bool is_path = false;
  bool is_port_alone = false;
  std::string host;  // without brackets; the path; empty when there is only a port
  std::string port;  // a number or the name of a service

  // "host:636", "[::1]:636", "/run/x.sock": with `other` for a host that is not written.
  [[nodiscard]] std::string text(std::string_view other) const;
};

// The last colon divides, so that "::1:636" is port 636 of ::1. Brackets around an IPv6 address are
// taken for what was meant by them, which stunnel does not do.
[[nodiscard]] Result<StunnelAddress> parse_stunnel_address(std::string_view text);

}  // namespace tunnel::import
