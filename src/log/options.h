// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

#include "base/file_owner.h"
#include "log/level.h"

namespace tunnel::log {

struct Options {
  enum class Sink { standard_error, file, syslog, journal };
  Sink sink = Sink::standard_error;
  std::string path{};              // for Sink::file
  bool is_also_on_stderr = false;  // with Sink::file
  // Standard error leads to the journal: lines on it have their priority in front (sd-daemon(3)),
  // and no time, for the journal adds its own.
  bool is_stderr_journal = false;
  // The user that the process will run as, who must be able to reopen the file.
  FileOwner owner{};
  bool json = false;
  Level level = Level::info;
  // For tests; the defaults are what the program uses.
  std::string socket{};            // of syslog or the journal; empty: the system's
  std::size_t queue_lines = 4096;  // that wait for the writing thread at most; never changes

  // Whether lines go to the same place, whatever they look like there.
  [[nodiscard]] bool has_sink_of(const Options& other) const {
    return sink == other.sink && path == other.path && socket == other.socket &&
           is_also_on_stderr == other.is_also_on_stderr &&
           is_stderr_journal == other.is_stderr_journal;
  }
};

}  // namespace tunnel::log
