// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

#include "admin/status.h"
#include "web/history.h"
#include "web/request.h"

namespace tunnel::web {

// So many connections are shown at once.
inline constexpr std::size_t kConnectionsOfPage = 200;

// The status page: one HTML document without scripts and without other files, for browsers and for
// w3m at 80 columns. Pure.
[[nodiscard]] std::string page(const admin::Status& status, const Query& query,
                               const History& history);

}  // namespace tunnel::web
