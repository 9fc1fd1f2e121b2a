// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "process/launcher.h"
#include "process/passed_sockets.h"
#include "process/program.h"
#include "uv/fd_watch.h"
#include "uv/loop.h"
#include "uv/process.h"
#include "uv/timer.h"

namespace tunnel::runtime {

// One try to have another process take over: starts the program, hands it the sockets, and waits
// until it says that it serves, or does not come to that. Supervisor's loop; owned by the
// Supervisor.
class Upgrade {
 public:
  // Why there is no other process; stable words for machines.
  enum class Failure { refused, not_started, exited, timeout };
  struct Failed {
    Failure why;
    std::string text;  // for people
  };
  struct Events {
    // It serves; it waits for us to stop doing so until finish(). `said`: on standard error.
    std::function<void(pid_t pid, const std::string& said)> on_ready;
    std::function<void(const Failed&)> on_failed;
  };
  static constexpr Millis kPatience{60'000};

  // `launcher` starts it, where this process may not; it must outlive this. Null: this process
  // does.
  Upgrade(uv::Loop& loop, Events events, process::Launcher* launcher = nullptr,
          Millis patience = kPatience);
  ~Upgrade();  // what has been started and is not ready is killed
  Upgrade(const Upgrade&) = delete;
  Upgrade& operator=(const Upgrade&) = delete;

  // Events come later. An error: it could not be started.
  [[nodiscard]] Result<void> start(const process::Program& program,
                                   std::vector<process::Handed> handed);
  // We serve no more: it is the only one from now on.
  void finish() { ready_.reset(); }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  [[nodiscard]] Result<pid_t> start_here(const process::Program& program,
                                         const std::vector<process::Handed>& handed,
                                         int standard_error);
  void kill();
  void on_launcher();
  void fail(const Failed& failed);
  enum class Said { so_far, all };
  void on_ready_socket();
  void on_said();
  [[nodiscard]] Said read_said();
  void on_ended(uv::Process::Ended ended);
  void on_timeout();

  uv::Loop& loop_;
  const Events events_;
  process::Launcher* const launcher_;
  const Millis patience_;
  Fd ready_;  // a line comes from it; closing it is the answer
  Fd said_;   // the other end of its standard error
  std::string text_;
  std::unique_ptr<uv::FdWatch> ready_watch_;
  std::unique_ptr<uv::FdWatch> said_watch_;
  uv::Timer timer_;
  std::unique_ptr<uv::FdWatch> launcher_watch_;
  std::unique_ptr<uv::Process> process_;  // without a launcher
  pid_t pid_ = 0;                         // 0: it has not been started, or has ended
  bool is_ready_ = false;
  bool is_late_ = false;  // and killed
};

[[nodiscard]] std::string_view word(Upgrade::Failure failure);

}  // namespace tunnel::runtime
