// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace tunnel::tls {

// Trust anchors by source, each loaded once for the process and shared by all contexts that name the
// same files: the system's bundle costs megabytes and milliseconds. Used while loading, on one
// thread; what it hands out is immutable and freed with its last user.
class TrustStore {
 public:
  TrustStore();
  ~TrustStore();
  TrustStore(const TrustStore&) = delete;
  TrustStore& operator=(const TrustStore&) = delete;
  struct Impl;
  [[nodiscard]] Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tunnel::tls
