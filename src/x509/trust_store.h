// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "x509/problem.h"

namespace tunnel::x509 {

class TrustAnchors;  // trust_anchors.h, for this room

// The files that may be the system's trust store: whether one of them has changed tells whether the
// store has.
[[nodiscard]] std::vector<std::string> system_trust_files();

// Trust anchors by source, each loaded once for one configuration and shared by all contexts that
// name the same files: the system's bundle costs megabytes and milliseconds. A file that changed
// since is loaded anew. Used while loading, on one thread; what it
// hands out is immutable and freed with its last user.
class TrustStore {
 public:
  TrustStore();
  ~TrustStore();
  TrustStore(const TrustStore&) = delete;
  TrustStore& operator=(const TrustStore&) = delete;

  // The certificates in these files and folders; with no path, the system's. Null when there is a
  // problem. (Shared ownership: contexts of several snapshots may use one list.)
  [[nodiscard]] std::shared_ptr<const TrustAnchors> anchors(const std::vector<std::string>& ca,
                                                            Problems& problems);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tunnel::x509
