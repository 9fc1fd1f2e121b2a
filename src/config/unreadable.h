// SPDX-License-Identifier: MIT
// Why a file cannot be opened, for people: who may not read what, and which mistakes lead there.
// Asks the file system; any thread.
#pragma once

#include <string>
#include <string_view>

namespace tunnel::config {

// A hint about `path`, which was written as `written` and whose opening failed with `error`
// (errno);
// "" when the error says it all.
[[nodiscard]] std::string why_unreadable(std::string_view written, const std::string& path,
                                         int error);

}  // namespace tunnel::config
