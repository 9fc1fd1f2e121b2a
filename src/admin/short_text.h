// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace tunnel::admin {

// "1.5MiB", "2h03m", for people: at most seven characters wide.
[[nodiscard]] std::string short_bytes(double bytes);
[[nodiscard]] std::string short_time(double seconds);

}  // namespace tunnel::admin
