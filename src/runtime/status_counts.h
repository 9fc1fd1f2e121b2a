// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "admin/status.h"
#include "balance/backend.h"
#include "balance/target.h"
#include "dns/names.h"
#include "tunnel/service_life.h"

namespace tunnel::runtime {

// What was counted, as status and metrics report it: readings of counters that go on meanwhile. Any
// thread.
[[nodiscard]] admin::ServiceCounts counts_of(const ServiceHandle& service);
[[nodiscard]] admin::TargetCounts counts_of(const balance::Target& target);
[[nodiscard]] admin::TargetCounts counts_of(const balance::Backend::Past& past);
[[nodiscard]] std::vector<admin::KindCount> counts_of(const dns::Names::Counts& answers);

}  // namespace tunnel::runtime
