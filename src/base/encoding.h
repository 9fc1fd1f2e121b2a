// SPDX-License-Identifier: MIT
// Bytes as text and back. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace tunnel {

// RFC 4648 section 4, with padding, without line breaks.
[[nodiscard]] std::string base64(std::string_view bytes);

// Two lower-case digits for each byte.
[[nodiscard]] std::string hex(std::string_view bytes);
// The value of a hexadecimal digit in either case; -1 when it is not one.
[[nodiscard]] int hex_digit(char c);

}  // namespace tunnel
