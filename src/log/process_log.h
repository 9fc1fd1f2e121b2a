// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "log/levels.h"
#include "log/log.h"
#include "log/options.h"
#include "log/problems.h"

namespace tunnel::log {

class Destination;
class Writer;

// The log of a process: formats lines in the calling thread and writes them in a thread of its own,
// so that no worker ever waits for a disk. When the queue overflows, the oldest lines are dropped
// and their number is logged. Owned by main; any thread may call any method.
//
// `open` starts the writing thread, unless it is to begin later: call it after daemonizing, because
// a fork does not copy threads. Until `begin` lines wait, and the destructor writes them. A file's
// path is made absolute there, so that a later chdir does not matter. An absent syslog daemon is
// not an error (it may start later; until then lines are lost and counted), an absent journal is
// one.
class ProcessLog final : public Log {
 public:
  // Whether a syslog daemon answers at /dev/log (or `socket`); an error says why not.
  [[nodiscard]] static Result<void> find_syslog(const std::string& socket = {});
  // Whether standard error, or what is to become it, leads to the journal.
  [[nodiscard]] static bool is_standard_error_journal(int descriptor = 2);
  enum class Writing { begins, waits };
  static Result<std::unique_ptr<ProcessLog>> open(const Options& options,
                                                  Writing writing = Writing::begins);
  explicit ProcessLog(std::shared_ptr<const Destination> destination);
  ~ProcessLog() override;  // flushes
  // Starts the writing thread, once.
  [[nodiscard]] Result<void> begin();

  // A reload changes level, format and sink in two steps: `prepare` opens what the options name and
  // changes nothing, `use` cannot fail. Lines written before `use` go to the old sink in the old
  // format. A sink that both have is neither closed nor opened.
  [[nodiscard]] Result<std::shared_ptr<const Destination>> prepare(const Options& options) const;
  void use(std::shared_ptr<const Destination> destination);
  // Until the next `use`.
  void set_level(Level level) { levels_.set(level); }
  [[nodiscard]] Level level() const { return levels_.level(); }
  // In place of those before. They stay through `use`.
  void set_level_overrides(std::vector<LevelOverride> overrides) {
    levels_.set_overrides(std::move(overrides));
  }
  // The last warnings and errors, the oldest first, whatever the level is.
  [[nodiscard]] std::vector<Problem> problems() const { return problems_.list(); }

  // Lines that the full queue has cost so far.
  [[nodiscard]] std::uint64_t dropped_lines() const;

  [[nodiscard]] bool enabled(Level level) const override { return levels_.may_admit(level); }
  void write(Level level, Event event, Subject subject, std::string_view message,
             std::initializer_list<Field> fields) override;
  void reopen() override;
  void flush() override;

 private:
  // All lock by themselves.
  Levels levels_;
  Problems problems_;
  const std::unique_ptr<Writer> writer_;
};

}  // namespace tunnel::log
