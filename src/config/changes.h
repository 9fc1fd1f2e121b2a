// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "config/model.h"

namespace tunnel::config {

// What differs between two configurations, for the answer of a reload. Values only, any thread.
// Phrases name keys and targets, never values: some of those are secrets.
struct ServiceChange {
  enum class What { unchanged, changed, added, removed };
  std::string name;
  What what = What::unchanged;
  // For `changed`: "target dc3.example.com:636 added", "ca changed", "timeouts.idle changed".
  std::vector<std::string> phrases;

  friend bool operator==(const ServiceChange&, const ServiceChange&) = default;
};

// One for each service of either: those of `after` in its order, then those that are gone.
[[nodiscard]] std::vector<ServiceChange> changes(const Config& before, const Config& after);

// The global keys whose values differ, in the order of the manual.
[[nodiscard]] std::vector<std::string> changed_keys(const Global& before, const Global& after);

// Those of them that a running process cannot change, whatever it is asked: they hold from the next
// start on.
[[nodiscard]] std::vector<std::string> keys_for_restart(const Global& before, const Global& after);

}  // namespace tunnel::config
