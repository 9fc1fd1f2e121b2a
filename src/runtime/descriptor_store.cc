// SPDX-License-Identifier: MIT
#include "runtime/descriptor_store.h"

#include <sys/socket.h>

#include <cstdlib>
#include <string_view>
#include <utility>

namespace tunnel::runtime {
namespace {

// FDSTORE is how many descriptors systemd keeps, from version 254 on; our unit says so to older
// ones. The file of a unix socket would outlive a stop where nothing is kept, so for those the
// manager must have said that it keeps something.
bool may_keep(int family) {
  const char* most = std::getenv("FDSTORE");
  if (most == nullptr) return family != AF_UNIX;
  return std::string_view(most) != "0";
}

}  // namespace

void DescriptorStore::open() { is_open_ = manager_.has_manager() && may_keep(AF_INET); }

bool DescriptorStore::keeps_files() const { return manager_.has_manager() && may_keep(AF_UNIX); }

void DescriptorStore::keep(const std::vector<OwnSocket>& sockets) {
  if (!is_open_) return;
  std::set<std::string> now;
  std::set<std::string> refused;  // to be given at the next change
  for (const auto& [handed, family] : sockets) {
    if (!may_keep(family)) continue;
    // Two listeners of one service with port 0 have one name, and the next process would find only
    // one of them.
    if (!now.insert(handed.name).second || kept_.contains(handed.name)) continue;
    if (auto kept = manager_.keep(handed.fd, handed.name); !kept) {
      log_.warning({}, "cannot leave a listener to the service manager: " + kept.error().text);
      refused.insert(handed.name);
    }
  }
  for (const std::string& name : kept_) {
    // The manager's copy would keep the address bound, and its backlog would go on taking clients
    // that no process accepts.
    if (!now.contains(name)) (void)manager_.drop(name);
  }
  for (const std::string& name : refused) now.erase(name);
  kept_ = std::move(now);
}

}  // namespace tunnel::runtime
