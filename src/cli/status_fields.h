// SPDX-License-Identifier: MIT
// How the JSON of a status is read: what is missing, or of another type, counts as empty, so that
// an older or newer instance can be shown, too. Texts are printable. No state.
#pragma once

#include <string>
#include <string_view>

#include "admin/protocol.h"

namespace tunnel::cli::fields {

[[nodiscard]] std::string text(const admin::Json& object, const char* key);
[[nodiscard]] double number(const admin::Json& object, const char* key);
[[nodiscard]] bool has(const admin::Json& object, const char* key);
[[nodiscard]] const admin::Json& list(const admin::Json& object, const char* key);
[[nodiscard]] std::string count(const admin::Json& object, const char* key);
// "1 worker".
[[nodiscard]] std::string counted(const admin::Json& object, const char* key,
                                  std::string_view noun);
// The texts of an array: "a, b".
[[nodiscard]] std::string joined(const admin::Json& texts);

}  // namespace tunnel::cli::fields
