// SPDX-License-Identifier: MIT
// `tunnel explain`: the option table and the words of the log for people.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tunnel::cli {

// Every key with one line, in groups.
[[nodiscard]] std::string explain_all();
// A key ("accept", "tls.ca", as it is in a file: "ldap.tls.ca", or without its table: "ca"), a word
// of the log, a signal, an exit status, or the name of a list of them ("kinds"). What has several
// meanings is explained in all of them. An error names what is near.
[[nodiscard]] Result<std::string> explain(std::string_view word);

// What becomes of every option of stunnel.conf, in three classes.
[[nodiscard]] std::string explain_stunnel();

}  // namespace tunnel::cli
