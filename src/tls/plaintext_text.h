// SPDX-License-Identifier: MIT
// What to say about a server that speaks something else than TLS, or nothing, on a port where
// something else is usual. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/failure.h"

namespace tunnel::tls {

[[nodiscard]] Failure not_tls(std::string_view target, Bytes said);
// For silence on a port where something else than TLS usually lives: "; port 389 is usually ...";
// "" for other ports.
[[nodiscard]] std::string port_advice(std::string_view target);

// The word of the `starttls` key for what `said` gives away, or the port; "" where there is none.
[[nodiscard]] std::string_view fitting_starttls(Bytes said, std::string_view target);

}  // namespace tunnel::tls
