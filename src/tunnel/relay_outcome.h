// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/outcome.h"

// How a relay that does not end in order ends, in the words of the `closed` line.
namespace tunnel {

// A side was lost by this error, for an end that is a reset.
[[nodiscard]] Outcome client_gone(int uv_error);
[[nodiscard]] Outcome server_gone(std::string_view target, int uv_error);

// The server closed without close_notify; the latter is in force with on_truncation = "eof".
[[nodiscard]] Outcome truncated_by(std::string_view target);
[[nodiscard]] Outcome truncation_tolerated(std::string_view target, Side first_end);

// timeouts.half_close and timeouts.idle have expired.
[[nodiscard]] Outcome half_closed_for(Millis limit);
[[nodiscard]] Outcome idle_for(Millis limit);

}  // namespace tunnel
