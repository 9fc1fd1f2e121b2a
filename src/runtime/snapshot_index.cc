// SPDX-License-Identifier: MIT
#include "runtime/snapshot_index.h"

namespace tunnel::runtime {

SnapshotIndex::SnapshotIndex(const Snapshot* snapshot) {
  if (snapshot == nullptr) return;
  for (const ServiceHandle& service : snapshot->services) {
    configs_.insert(service.config.get());
    services_.insert(service.life->id);
  }
  for (const Warning& warning : snapshot->warnings) {
    warnings_.emplace(warning.service, warning.text);
  }
}

}  // namespace tunnel::runtime
