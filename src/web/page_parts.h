// SPDX-License-Identifier: MIT
// The parts of the page, for page.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "admin/status.h"
#include "web/history.h"
#include "web/html.h"
#include "web/request.h"

namespace tunnel::web {

extern const char* const kPageStyle;

// A link to the page: the present query but for what differs.
[[nodiscard]] std::string link(const Query& query, unsigned refresh, std::size_t from);

// "20 h", "12 d", "ended": until something ends.
[[nodiscard]] std::string time_left(std::int64_t seconds);

void add_services(const admin::Status& status, const History& history, const Query& query,
                  Html& html);
void add_targets(const admin::Status& status, Html& html);
void add_certificates(const admin::Status& status, Html& html);
void add_plots(const History& history, Html& html);
void add_connections(const admin::Status& status, const Query& query, Html& html);
void add_closed(const admin::Status& status, const Query& query, Html& html);

}  // namespace tunnel::web
