// SPDX-License-Identifier: MIT
#include "runtime/log_place.h"

#include <vector>

#include "base/text.h"
#include "log/process_log.h"

namespace tunnel::runtime {

log::Options log_options(const config::Global& global, Voice voice, int standard_error) {
  using Sink = log::Options::Sink;
  log::Options options;
  options.json = global.log_format == config::LogFormat::json;
  options.level = global.log_level;
  options.is_stderr_journal = log::ProcessLog::is_standard_error_journal(standard_error);
  std::vector<std::string> places = global.log_file;
  if (places.empty()) places = {global.foreground ? "stderr" : "syslog"};
  if (places.size() > 1) {
    options.is_also_on_stderr = voice != Voice::syslog;
    // The second sink. The configuration allows one other beside it.
    std::erase(places, "stderr");
  }
  std::string where = places.front();
  // Never into what the client reads.
  if (where == "stderr" && voice == Voice::syslog) where = "syslog";
  if (where == "stderr") {
    options.sink = Sink::standard_error;
  } else if (where == "syslog") {
    options.sink = Sink::syslog;
  } else if (where == "journal") {
    options.sink = Sink::journal;
  } else {
    options.sink = Sink::file;
    options.path = where;
  }
  return options;
}

std::string where_the_log_goes(const log::Options& options) {
  switch (options.sink) {
    case log::Options::Sink::standard_error:
      return "/dev/null, because a daemon has no standard error: set log_file";
    case log::Options::Sink::syslog:
      return "syslog";
    case log::Options::Sink::journal:
      return "the journal";
    case log::Options::Sink::file:
      return printable(options.path, 4096);
  }
  return "";
}

}  // namespace tunnel::runtime
