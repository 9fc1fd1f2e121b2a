// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace tunnel::process {

// Raises the soft limit of open files to the hard one; says what it is now.
Result<std::uint64_t> raise_open_files();

// CPUs that the process may use: its affinity mask, cut down to the quota of its control group (a
// container with half a CPU should not start one worker per core of the machine). At least 1.
// The folders are for tests.
[[nodiscard]] unsigned usable_cpus(const std::string& proc = "/proc/self",
                                   const std::string& cgroup_mount = "/sys/fs/cgroup");

}  // namespace tunnel::process
