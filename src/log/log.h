// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

#include "log/level.h"

namespace tunnel::log {

// What a line is about, for machines. `notice` is any line without an event of its own. The table
// of words is in line.cc.
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
  certificates_reloaded,
  capture_started,
  capture_stopped,
  control,
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
// Empty service: the process. conn 0: no connection. `client` is its address ("10.0.0.1:5000"): not
// shown, but a level may be for the lines of some clients.
struct Subject {
  std::string_view service;
  std::uint64_t conn = 0;
  std::string_view client = {};
};

// Where the rooms write their lines; ProcessLog is what the program gives them. Any thread may call
// any method.
class Log {
 public:
  Log() = default;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  virtual ~Log() = default;

  // Whether some line of this level may be written: for who would work to make one.
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
