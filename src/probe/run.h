// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "config/document.h"
#include "probe/options.h"
#include "probe/report.h"

namespace tunnel::probe {

// Loads the credentials of the chosen services and probes their targets: nothing of a running
// instance is touched, nothing is listened at. Nothing when the credentials cannot be loaded: the
// document has the problems then. Blocking.
[[nodiscard]] std::optional<Report> run(config::Document& document, const Options& options);

}  // namespace tunnel::probe
