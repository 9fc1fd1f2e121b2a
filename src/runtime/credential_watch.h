// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/model.h"
#include "log/log.h"
#include "log/rate_limit.h"
#include "runtime/file_watch.h"
#include "runtime/snapshot.h"
#include "tunnel/service_life.h"
#include "uv/loop.h"
#include "uv/timer.h"

namespace tunnel::runtime {

// Notices, every `certificate_poll`, that credential files of services have changed, and logs what
// became of them. Looking at files blocks, so its owner does that elsewhere. Supervisor's loop;
// owned by the Supervisor.
class CredentialWatch {
 public:
  // Begins a look at the files of all services, whose result goes to on_looked(). False: not now.
  using Look = std::function<bool()>;
  CredentialWatch(uv::Loop& loop, log::Log& log, Look look);

  // The snapshot in force from now on, with its files as they were when they were read.
  void use(const Snapshot& snapshot);
  void stop();
  void on_looked(std::map<ServiceId, FileIdentities> found);
  // A service whose files have changed and are at rest, to be loaded; each is given once a look.
  [[nodiscard]] std::optional<ServiceId> take_settled();
  [[nodiscard]] bool has(ServiceId service) const { return watches_.contains(service); }

  // What take_settled() has named could not be loaded, or is about to be in force.
  void refused(const ServiceHandle& service, const std::vector<std::string>& problems);
  void taken(const ServiceHandle& before, const ServiceHandle& after);

 private:
  void on_timer();

  log::Log& log_;
  const Look look_;
  std::map<ServiceId, FileWatch> watches_;
  config::Timeout period_;  // of the snapshot in force; none after stop()
  std::deque<ServiceId> settled_;
  log::RateLimit failures_;
  uv::Timer timer_;
};

}  // namespace tunnel::runtime
