// SPDX-License-Identifier: MIT
#include "web/readiness.h"

#include <algorithm>

namespace tunnel::web {
namespace {

// One that is on trial gets the next connection.
bool is_usable(const admin::TargetStatus& target) {
  return target.state == "up" || target.state == "trial";
}

}  // namespace

std::string why_not_ready(const admin::Status& status, Targets targets) {
  // By default targets do not count: a readiness probe that looked at them would empty a whole
  // cluster as soon as the database behind them blinks.
  if (status.state != "running") return "the process is stopping";
  std::string missing;
  for (const admin::ServiceStatus& service : status.services) {
    std::string why;
    if (service.is_draining) {
      why = "it is draining";
    } else if (targets == Targets::wanted &&
               std::none_of(service.targets.begin(), service.targets.end(), is_usable)) {
      why = "it has no usable target";
    }
    if (!why.empty()) missing += (missing.empty() ? "" : "; ") + service.name + ": " + why;
  }
  return missing;
}

}  // namespace tunnel::web
