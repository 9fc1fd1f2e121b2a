// SPDX-License-Identifier: MIT
// What is offered in one handshake: GnuTLS's priority strings.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tls/handles.h"
#include "x509/problem.h"

namespace tunnel::tls {

struct Attempt {
  // The versions that it is for, when the first attempt has been made.
  enum class Scope { all, tls13, older };
  Scope scope = Scope::all;
  PriorityHandle priority;
  std::string text;  // the priority string
};

// Nothing, with a problem of `key`, when GnuTLS does not accept the string.
[[nodiscard]] std::optional<Attempt> make_attempt(Attempt::Scope scope, std::string priority_string,
                                                  std::string_view key, x509::Problems& problems);

// The pieces of verification that a priority string settles but a trust list does not know of.
[[nodiscard]] unsigned verify_flags_of(std::string_view priority);

}  // namespace tunnel::tls
