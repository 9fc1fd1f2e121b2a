// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "config/model.h"

namespace tunnel::capture {

// The port under which a dissector expects a service's plaintext: that of the protocol which the
// service speaks by its `starttls` or `health.check`, else the plaintext twin of the target's port
// (636: 389), else the target's own.
[[nodiscard]] std::uint16_t plaintext_port(const config::Service& service, std::uint16_t target);

}  // namespace tunnel::capture
