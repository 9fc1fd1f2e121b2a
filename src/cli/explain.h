// SPDX-License-Identifier: MIT
// `tunnel explain`: the option table for people.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tunnel::cli {

// Every key with one line, in groups.
[[nodiscard]] std::string explain_all();
// One key: "accept", "tls.ca", or as it is in a file, "ldap.tls.ca".
[[nodiscard]] Result<std::string> explain(std::string_view key);

// What becomes of every option of stunnel.conf, in three classes.
[[nodiscard]] std::string explain_stunnel();

}  // namespace tunnel::cli
