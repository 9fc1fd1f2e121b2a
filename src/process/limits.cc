// SPDX-License-Identifier: MIT
#include "process/limits.h"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <limits>
#include <vector>

namespace tunnel::process {
namespace {

unsigned affinity() {
  // Machines beyond CPU_SETSIZE exist: EINVAL says that the set was too small.
  for (std::size_t cpus = CPU_SETSIZE; cpus <= std::size_t{1} << 16; cpus *= 2) {
    std::vector<cpu_set_t> set(cpus / CPU_SETSIZE);
    const std::size_t bytes = set.size() * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, bytes, set.data()) == 0) {
      return static_cast<unsigned>(std::max(1, CPU_COUNT_S(bytes, set.data())));
    }
    if (errno != EINVAL) break;
  }
  return 1;
}

// The quota of one cpu.max file ("QUOTA PERIOD" or "max PERIOD", in microseconds), rounded up to
// whole CPUs.
unsigned quota(const std::string& path) {
  constexpr unsigned kUnlimited = std::numeric_limits<unsigned>::max();
  std::ifstream file(path);
  std::string limit;
  std::uint64_t period = 0;
  if (!(file >> limit >> period) || period == 0) return kUnlimited;
  std::uint64_t micros = 0;
  const auto [end, error] = std::from_chars(limit.data(), limit.data() + limit.size(), micros);
  if (error != std::errc() || end != limit.data() + limit.size()) return kUnlimited;  // "max"
  const std::uint64_t cpus = micros / period + (micros % period != 0 ? 1 : 0);
  return static_cast<unsigned>(std::clamp<std::uint64_t>(cpus, 1, kUnlimited));
}

// The process's group in the unified hierarchy: the line "0::/path".
std::string control_group(const std::string& proc) {
  std::ifstream file(proc + "/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::/")) return line.substr(3);
  }
  return "/";
}

}  // namespace

Result<std::uint64_t> raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return failed(ErrorCode::system, "getrlimit", errno);
  if (limit.rlim_cur == limit.rlim_max) return limit.rlim_cur;
  // The soft limit is low for the sake of programs that use select(2), whose sets end at 1024. This
  // one polls.
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return failed(ErrorCode::system, "setrlimit", errno);
  return limit.rlim_cur;
}

unsigned usable_cpus(const std::string& proc, const std::string& cgroup_mount) {
  unsigned cpus = affinity();
  // Every group up to the root may have a quota; the smallest holds.
  for (std::string group = control_group(proc);; group.resize(group.rfind('/'))) {
    cpus = std::min(cpus, quota(cgroup_mount + group + "/cpu.max"));
    if (group.find('/') == std::string::npos) break;
  }
  return cpus;
}

}  // namespace tunnel::process
