// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/model.h"
#include "tls/context.h"
#include "tunnel/service_state.h"

namespace tunnel::runtime {

// Something that each start says at warning level, about a service ("" is the process).
struct Warning {
  std::string service;
  std::string text;
};

// All configuration in force with its loaded credentials. Immutable once built, apart from the
// counters and the health inside its services. Owned by the Supervisor.
struct Snapshot {
  config::Global global;
  std::vector<std::unique_ptr<ServiceState>> services;  // in the order of the file
  std::vector<Warning> warnings;                        // to be logged at each start
};

// A problem that only loading could find, and where in the configuration it belongs.
struct LoadProblem {
  std::string service;
  std::string key;  // "tls.ca"
  int index = -1;   // entry of an array, or -1
  std::string text;
  std::string hint;
};

struct Prepared {
  std::unique_ptr<Snapshot> snapshot;  // only when there are no problems
  std::vector<LoadProblem> problems;
  std::vector<Warning> warnings;  // of loading
};

// Told when a target of service number `service` has a free slot while a connection waits for one.
using SlotFreedFn = std::function<void(std::size_t service)>;

// Loads every credential of `config`. Changes nothing outside of what it returns; for a run the key
// log is created.
[[nodiscard]] Prepared prepare(const config::Config& config, tls::Context::Purpose purpose,
                               SlotFreedFn on_slot_freed);

}  // namespace tunnel::runtime
