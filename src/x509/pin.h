// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tunnel::x509 {

// The 32 bytes of "sha256:<64 hexadecimal digits, or base64>".
[[nodiscard]] Result<std::string> parse_pin(std::string_view text);

}  // namespace tunnel::x509
