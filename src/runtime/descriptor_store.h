// SPDX-License-Identifier: MIT
#pragma once

#include <set>
#include <string>
#include <vector>

#include "log/log.h"
#include "process/notify.h"
#include "process/passed_sockets.h"

namespace tunnel::runtime {

// A socket that the next process finds by its name, and its address family.
struct OwnSocket {
  process::Handed handed;
  int family;
};

// The service manager's store of descriptors (FileDescriptorStoreMax=): a manager that restarts us
// gives what is kept there to the next process, so that no client is refused in between.
// Supervisor's thread; owned by the Supervisor.
class DescriptorStore {
 public:
  // Both must outlive it.
  DescriptorStore(const process::Notifier& manager, log::Log& log) : manager_(manager), log_(log) {}

  // The manager has heard READY=1: keep() works from here on, where there is a store.
  void open();
  // These and no others are kept from now on.
  void keep(const std::vector<OwnSocket>& sockets);
  // Whether sockets with a file are kept, too.
  [[nodiscard]] bool keeps_files() const;

 private:
  const process::Notifier& manager_;
  log::Log& log_;
  bool is_open_ = false;
  std::set<std::string> kept_;
};

}  // namespace tunnel::runtime
