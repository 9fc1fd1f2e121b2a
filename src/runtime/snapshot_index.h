// SPDX-License-Identifier: MIT
#pragma once

#include <set>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "runtime/snapshot.h"

namespace tunnel::runtime {

// What a snapshot has, for questions about each service of another: there may be a thousand. Of no
// snapshot (null): nothing. Points into the snapshot, which must outlive it; immutable.
class SnapshotIndex {
 public:
  explicit SnapshotIndex(const Snapshot* snapshot);
  // Whether the service goes on as it was.
  [[nodiscard]] bool has_same(const ServiceHandle& service) const {
    return configs_.contains(service.config.get());
  }
  [[nodiscard]] bool has(ServiceId service) const { return services_.contains(service); }
  [[nodiscard]] bool has(const Warning& warning) const {
    return warnings_.contains({warning.service, warning.text});
  }

 private:
  std::unordered_set<const ServiceConfig*> configs_;
  std::unordered_set<ServiceId> services_;
  std::set<std::pair<std::string_view, std::string_view>> warnings_;
};

}  // namespace tunnel::runtime
