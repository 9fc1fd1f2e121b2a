// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/address.h"
#include "base/fd.h"
#include "log/log.h"
#include "runtime/exec_client.h"
#include "runtime/snapshot.h"
#include "tunnel/service_life.h"
#include "uv/loop.h"

namespace tunnel::runtime {

// The programs of all services with `exec`, each an ExecClient under its service. Supervisor's
// loop; owned by the Supervisor.
class ExecClients {
 public:
  struct Owner {
    // A program has begun: `socket` is the client that it is.
    std::function<void(const ServiceHandle& service, Fd socket, const SocketAddress& client)>
        on_client;
    std::function<void()> on_over;  // one that was stopped has ended
  };
  ExecClients(uv::Loop& loop, log::Log& log, Owner owner)
      : loop_(loop), log_(log), owner_(std::move(owner)) {}

  // From now on the programs of these services, which the snapshot has: a program that runs goes
  // on, and its next run is as the snapshot says. One whose service has gone is not run again.
  void use(const Snapshot& snapshot, const std::vector<ServiceHandle>& services);
  void connection_gone(ServiceId service, ExecClient::Connection how);
  // As ExecClient's.
  void stop(ServiceId service);
  void stop_all();
  void terminate_all();
  [[nodiscard]] bool are_over() const;

 private:
  void run(const ServiceHandle& service);

  uv::Loop& loop_;
  log::Log& log_;
  const Owner owner_;
  std::map<ServiceId, std::unique_ptr<ExecClient>> clients_;
};

}  // namespace tunnel::runtime
