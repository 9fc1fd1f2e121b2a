// SPDX-License-Identifier: MIT
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "web/metrics.h"

namespace tunnel::web {

ProcessUse ProcessUse::of_this_process() {
  ProcessUse use;
  rusage times{};
  if (::getrusage(RUSAGE_SELF, &times) == 0) {
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    use.cpu_seconds = seconds(times.ru_utime) + seconds(times.ru_stime);
  }
  // Its second number is the resident pages (proc(5)).
  std::ifstream statm("/proc/self/statm");
  double all = 0;
  double resident = 0;
  if (statm >> all >> resident) {
    use.resident_bytes = resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
  }
  std::error_code error;
  // The descriptor that reads the folder is counted with the others.
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    ++use.open_fds;
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) use.max_fds = static_cast<double>(limit.rlim_cur);
  return use;
}

}  // namespace tunnel::web
