// SPDX-License-Identifier: MIT
#include "runtime/start_voice.h"

#include <syslog.h>

#include <cstdio>

#include "log/process_log.h"

namespace tunnel::runtime {

void say(const std::string& error, Voice voice) {
  if (voice == Voice::syslog) return ::syslog(LOG_DAEMON | LOG_ERR, "error: %s", error.c_str());
  // The journal takes the number in front for the priority (sd-daemon(3)).
  const char* priority = log::ProcessLog::is_standard_error_journal() ? "<3>" : "";
  (void)std::fprintf(stderr, "%stunnel: error: %s\n", priority, error.c_str());
}

void warn(const std::string& warning) {
  const char* priority = log::ProcessLog::is_standard_error_journal() ? "<4>" : "";
  (void)std::fprintf(stderr, "%stunnel: warning: %s\n", priority, warning.c_str());
}

}  // namespace tunnel::runtime
