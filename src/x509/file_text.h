// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace tunnel::x509 {

// The content of a file, up to `expected` bytes of it. The error's text lacks the path: "cannot be
// read: Permission denied". Blocking.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t expected);
// The same for a regular file of whatever size.
[[nodiscard]] Result<std::string> read_file(const std::string& path);

// Whether a file that should be secret is not: others than its owner and group may read it.
[[nodiscard]] bool is_world_readable(const std::string& path);

}  // namespace tunnel::x509
