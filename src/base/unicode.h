// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

namespace tunnel {

// The code point at the front of a text; length 0 where there is no valid UTF-8 (RFC 3629).
struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;
};
[[nodiscard]] CodePoint first_code_point(std::string_view text);

// Whether it may be shown as it is: not a control character, nor one that changes how its
// neighbours look or breaks a line (Unicode's categories Cc, Cf, Zl, Zp). With those a name could
// be shown as another one, or one log line as two.
[[nodiscard]] bool is_harmless(char32_t code_point);

}  // namespace tunnel
