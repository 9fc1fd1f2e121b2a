// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/snapshot.h"

namespace tunnel::runtime {

// What a reload from `before` to `after` has changed and what stays, for people: one line a
// service, as config::changes() orders them.
[[nodiscard]] std::vector<std::string> describe_changes(const Snapshot& before,
                                                        const Snapshot& after);

}  // namespace tunnel::runtime
