// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "log/options.h"

namespace tunnel::log {

// Where finished lines go: standard error, a file, syslog or the journal. Owned by the Log; used by
// its writing thread only, once it runs.
class Sink {
 public:
  static Result<std::unique_ptr<Sink>> open(const Options& options);
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  // `payload` is what Log formatted for this sink, without a newline. May block, for the thread is
  // there for that.
  virtual Result<void> write(Level level, std::string_view payload) = 0;
  virtual Result<void> reopen() { return {}; }
};

// Whether the descriptor is a stream of the journal, as systemd says in JOURNAL_STREAM. The
// variable may be left from an ancestor whose standard error it was: then the file is another one.
[[nodiscard]] bool is_journal(int descriptor);

// Whether a syslog daemon is there; empty: where the system has it.
[[nodiscard]] Result<void> find_syslog(const std::string& socket);

}  // namespace tunnel::log
