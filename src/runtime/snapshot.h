// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/document.h"
#include "config/model.h"
#include "runtime/file_watch.h"
#include "tls/context.h"
#include "tunnel/service_life.h"

namespace tunnel::runtime {

// "sha256:..." of a configuration as it would be printed, secrets included; empty when that fails.
[[nodiscard]] std::string hash_of(const config::Config& config);

// Something that each start says at warning level, about a service ("" is the process).
struct Warning {
  std::string service;  // empty: of the whole
  std::string text;

  // "[ldap] the text", where no log says the service.
  [[nodiscard]] std::string line() const {
    return (service.empty() ? "" : "[" + service + "] ") + text;
  }
};

// All configuration in force with its loaded credentials. Immutable once built, any thread; held by
// shared_ptr<const>. What was begun with a service holds that service's handle, so the rest of an
// old snapshot goes as soon as a new one is in force.
struct Snapshot {
  config::Global global;
  std::vector<ServiceHandle> services;  // in the order of the file
  std::vector<Warning> warnings;        // to be logged at each start
  // What the services' credentials were made from, as it was found before they were read.
  std::map<ServiceId, FileIdentities> files;
  std::string hash;       // "sha256:...", of the configuration
  ServiceId last_id = 0;  // of all services so far
};

// The service, or null.
[[nodiscard]] const ServiceHandle* find(const Snapshot& snapshot, ServiceId service);

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
  std::vector<Warning> warnings;  // of loading, which the snapshot has, too
};

// Adds the problems to the document, each at its place.
void report(config::Document& document, const std::vector<LoadProblem>& problems);

// Loads every credential of `config`. Changes nothing outside of what it returns; for a run the key
// log is created. Services that `previous` (or null) has under the same name live on, and one whose
// settings and files are the same goes on as it is: nothing of it is loaded again. With `only`, so
// do all others but that one, whatever their files. Blocking.
[[nodiscard]] Prepared prepare(const config::Config& config, tls::Context::Purpose purpose,
                               const Snapshot* previous = nullptr,
                               std::optional<ServiceId> only = std::nullopt);

}  // namespace tunnel::runtime
