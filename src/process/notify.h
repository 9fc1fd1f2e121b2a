// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace tunnel::process {

// Tells the service manager how the process is (sd_notify(3)'s protocol: datagrams to the socket
// that NOTIFY_SOCKET names). Owned by the supervisor; one thread. Every message is a courtesy: the
// service runs whether or not anybody hears it.
class Notifier {
 public:
  // `socket` is the value of NOTIFY_SOCKET: a path, "@name" in the abstract namespace, or "" for
  // nobody (a null pointer, too: getenv's answer may be passed as it is).
  explicit Notifier(const char* socket) : socket_(socket ? socket : "") {}

  // READY=1 with a status text, and MAINPID, for a daemon is not the process that was started.
  Result<void> ready(std::string_view status) const;
  Result<void> stopping() const;
  // Another process is the service from now on: this one is not heard any more.
  Result<void> main_process(pid_t pid) const;
  // RELOADING=1 with the monotonic clock's stamp, without which a unit of Type=notify-reload waits
  // forever. Each must be followed by ready(), whether or not the reload succeeded.
  Result<void> reloading() const;
  Result<void> status(std::string_view text) const;
  // Still alive: for WatchdogSec=.
  Result<void> watchdog() const;
  // Gives a copy of a descriptor into the manager's keeping (FDSTORE=1), under a name, so that the
  // next process gets it; or has it closed there. Waits a moment where the manager is busy.
  Result<void> keep(int descriptor, const std::string& name) const;
  Result<void> drop(const std::string& name) const;
  [[nodiscard]] bool has_manager() const { return !socket_.empty(); }

 private:
  [[nodiscard]] Result<void> send(const std::string& message, int descriptor = -1) const;

  const std::string socket_;
};

// How often the service manager wants to hear from this process (WATCHDOG_USEC, unless WATCHDOG_PID
// is another one's); 0: it does not.
[[nodiscard]] Millis watchdog_interval();

}  // namespace tunnel::process
