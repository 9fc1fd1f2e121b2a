// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace tunnel {

// What kind of thing went wrong on a cold path, for callers that must know; people read the text.
enum class ErrorCode {
  invalid,      // the input is wrong
  not_found,    // a file, name or user does not exist
  permission,   // the system says no
  in_use,       // an address or file is taken by somebody alive
  exhausted,    // descriptors, memory or another limit
  unavailable,  // the machine cannot do it (no such family, no such feature)
  system,       // any other failed system call
};

// An error of a cold path: a sentence for people, with context added while it is returned.
struct Error {
  ErrorCode code = ErrorCode::invalid;
  std::string text;

  [[nodiscard]] Error in(std::string_view context) && {
    text = std::string(context) + ": " + text;
    return std::move(*this);
  }
};

// Becomes std::expected when the oldest compiler has it (GCC 12 does not).
template <class T>
using Result = tl::expected<T, Error>;

// With the system's own words when a call of it failed:
// `failed(ErrorCode::system, "bind", EADDRINUSE)`.
[[nodiscard]] tl::unexpected<Error> failed(ErrorCode code, std::string text, int system_errno = 0);

}  // namespace tunnel
