// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace tunnel {

// The whole text, however the kernel splits it; waits where the descriptor is non-blocking, as
// standard output and error are when the caller's terminal was made so. 0, or the errno that ended
// it. Blocking.
[[nodiscard]] int write_all(int fd, std::string_view text);

}  // namespace tunnel
