// SPDX-License-Identifier: MIT
#include "base/result.h"

#include <cstring>

namespace tunnel {

tl::unexpected<Error> failed(ErrorCode code, std::string text, int system_errno) {
  if (system_errno != 0) {
    char buffer[128];
    // GNU strerror_r: may return a static string instead of filling the buffer.
    text += std::string(": ") + ::strerror_r(system_errno, buffer, sizeof buffer);
  }
  return tl::make_unexpected(Error{code, std::move(text)});
}

}  // namespace tunnel
