// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace tunnel::process {

// The daemon's word to the process that started it, which waits for it. Default: nobody waits
// (foreground), and both methods do nothing. Owned by main; one thread; one of the methods, once.
class Readiness {
 public:
  Readiness() = default;
  explicit Readiness(Fd waiting_parent) : pipe_(std::move(waiting_parent)) {}

  // For a process that replaces another one, which waits at `ready`: says so there, and comes back
  // when that one has drawn its conclusions. A daemon detaches then.
  struct Predecessor {
    Fd ready;
    Fd standard_error;  // that of the service; what this process begins with leads to the other one
    bool is_daemon = false;
  };
  explicit Readiness(Predecessor predecessor) : predecessor_(std::move(predecessor)) {}

  // The service is up: the caller's command returns 0. From here on the daemon is detached: working
  // directory "/", standard streams on /dev/null. (Not earlier, so that whatever went wrong at
  // start reached the caller's standard error, and relative paths meant what the caller meant.)
  void ready();

  // Nothing of the start can fail from here on, and logging begins: what is said on standard error
  // no longer goes to the process that is replaced, but to where its own goes.
  void take_standard_error();

  // Start-up failed: the caller sees `text` (empty: it was already said) and the exit status.
  void failed(std::string_view text, int exit_status);

  // A descriptor that a supervisor waits at for a line (s6's notification-fd): ready() writes it.
  // Not passed on to programs that the process runs.
  void also_tell(int descriptor);

  [[nodiscard]] bool is_awaited() const { return pipe_.valid(); }

 private:
  void tell_predecessor();

  Fd pipe_;
  Fd supervisor_;
  Predecessor predecessor_;
};

// What daemonize() came back as.
struct Daemonized {
  // Set in the caller's process, once the daemon is ready or has ended: leave main with this.
  std::optional<int> exit_status;
  // In the daemon.
  Readiness readiness;
};

// The name of the process that started this one, when it is a supervisor that takes the end of its
// child for a failure (runit's runsv, s6, daemontools and their like); empty for any other.
[[nodiscard]] std::string supervising_parent();

// Forks the daemon into a session of its own. Call before any thread exists. Comes back twice: in
// the daemon at once; in the caller when the daemon reported, or died without a word (which is said
// on standard error).
[[nodiscard]] Result<Daemonized> daemonize();

}  // namespace tunnel::process
