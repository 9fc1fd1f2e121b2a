// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace tunnel::runtime {

// How many connections the descriptors of the process allow, beside those that are open now. Each
// connection needs two, one to either side. At least one; any thread.
[[nodiscard]] std::size_t connection_limit();

}  // namespace tunnel::runtime
