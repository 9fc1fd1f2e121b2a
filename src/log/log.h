// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/file_owner.h"
#include "base/result.h"
#include "log/level.h"
#include "log/rate_limit.h"

namespace tunnel::log {

// What a line is about, for machines. `notice` is any line without an event of its own. The table of
// words is in line.cc. `reloaded` and `reload_failed` are for the reload that is to come.
enum class Event {
  ready,
  listening,
  connected,
  closed,
  dial_failed,
  ejected,
  restored,
  reloaded,
  reload_failed,
  draining,
  worker_stalled,
  stopped,
  notice,
};

[[nodiscard]] std::string_view word(Event event);

// key=value of one line. Views are copied before `write` returns.
struct Field {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, std::uint64_t, bool> value;
};

// Whom a line is about: shown as `ldap[12]` in text, as `service` and `conn` in JSON.
// Empty service: the process. conn 0: no connection.
struct Subject {
  std::string_view service;
  std::uint64_t conn = 0;
};

struct Options {
  enum class Sink { standard_error, file, syslog, journal };
  Sink sink = Sink::standard_error;
  std::string path{};              // for Sink::file
  bool is_also_on_stderr = false;  // with Sink::file
  // Who the process is about to become, who must be able to reopen the file.
  FileOwner owner{};
  bool json = false;
  Level level = Level::info;
  // For tests; the defaults are what the program uses.
  std::string socket{};            // of syslog or the journal; empty: the system's
  std::size_t queue_lines = 4096;  // lines that wait for the writing thread at most
};

// Writes log lines: formats in the calling thread, writes in a thread of its own (spdlog's
// asynchronous logger), so that no worker ever waits for a disk. When the queue overflows the
// oldest lines are dropped and the number is said. Owned by main; all methods may be called from
// any thread.
//
// `open` starts the writing thread: call it after daemonizing, for a fork takes no threads along.
// A file's path is made absolute there, so that a later chdir does not matter. An absent syslog
// daemon is no error (it may start later; until then lines are lost and counted), an absent journal
// is one.
class Log {
 public:
  // Whether a syslog daemon answers at /dev/log (or `socket`); an error says why not.
  [[nodiscard]] static Result<void> find_syslog(const std::string& socket = {});
  static Result<std::unique_ptr<Log>> open(const Options& options);
  Log() = default;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  virtual ~Log() = default;  // flushes

  [[nodiscard]] virtual bool enabled(Level level) const = 0;
  virtual void write(Level level, Event event, Subject subject, std::string_view message,
                     std::initializer_list<Field> fields = {}) = 0;
  // Closes and opens the file again (after logrotate moved it); other sinks do nothing. Does not
  // wait: every line written after this call goes to the new file. When that cannot be opened, the
  // old one stays in use and says so.
  virtual void reopen() = 0;
  // Returns when every line written before this call has reached its sink.
  virtual void flush() = 0;

  void error(Subject s, std::string_view m, std::initializer_list<Field> f = {}) {
    write(Level::error, Event::notice, s, m, f);
  }
  void warning(Subject s, std::string_view m, std::initializer_list<Field> f = {}) {
    write(Level::warning, Event::notice, s, m, f);
  }
  void info(Subject s, std::string_view m, std::initializer_list<Field> f = {}) {
    write(Level::info, Event::notice, s, m, f);
  }
  void debug(Subject s, std::string_view m, std::initializer_list<Field> f = {}) {
    if (enabled(Level::debug)) write(Level::debug, Event::notice, s, m, f);
  }
};

}  // namespace tunnel::log
