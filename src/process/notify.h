// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

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
  // RELOADING=1 with the monotonic clock's stamp, without which a unit of Type=notify-reload waits
  // forever. Each must be followed by ready(), whether or not the reload succeeded.
  Result<void> reloading() const;
  Result<void> status(std::string_view text) const;

 private:
  [[nodiscard]] Result<void> send(const std::string& message) const;

  const std::string socket_;
};

}  // namespace tunnel::process
