// SPDX-License-Identifier: MIT
#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <string>
#include <vector>

#include "admin/status.h"

namespace tunnel::web {

// One of the process's loops, as it looks to another thread.
struct LoopState {
  std::string name;          // "0", "1", ...: the worker; "control"
  admin::Seconds lag{0};     // the longest that it took to turn, of late
  admin::Seconds silent{0};  // how long it has not turned although it was asked to
};

// What the operating system counts of this process.
struct ProcessUse {
  double cpu_seconds = 0;
  double resident_bytes = 0;
  double open_fds = 0;
  double max_fds = 0;
  [[nodiscard]] static ProcessUse of_this_process();
};

// A service's targets beyond so many, which only DNS can have named, are counted together.
inline constexpr std::size_t kMostTargets = 100;
// So many of them, the first of the configuration, have histograms of their own: all while they are
// few, and of more as many as leave the answer at the size that it has then.
[[nodiscard]] constexpr std::size_t services_with_histograms(std::size_t services) {
  constexpr std::size_t kAll = 300;
  constexpr std::size_t kFewest = 50;
  if (services <= kAll) return services;
  // All else that is told of two services is as long as the histograms of one.
  const std::size_t fewer = (services - kAll) / 2;
  return fewer < kAll - kFewest ? kAll - fewer : kFewest;
}
// The label of what is counted together.
inline constexpr const char* kOther = "other";

// Everything that /metrics tells, family by family; docs/metrics.md lists them. Labels come from
// the configuration and from lists of ours, never from a peer.
[[nodiscard]] std::vector<prometheus::MetricFamily> metrics(const admin::Status& status,
                                                            const std::vector<LoopState>& loops,
                                                            const ProcessUse& use);

}  // namespace tunnel::web
