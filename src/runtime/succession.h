// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "log/log.h"
#include "process/launcher.h"
#include "process/passed_sockets.h"
#include "process/program.h"
#include "runtime/upgrade.h"
#include "uv/loop.h"

namespace tunnel::runtime {

// Has another process take over when an operator wants that (SIGUSR2): one Upgrade at a time, and a
// log line for each that comes to nothing. Supervisor's loop; owned by the Supervisor.
class Succession {
 public:
  struct Settings {
    // How to start a successor, or why that cannot be.
    Result<process::Program> program;
    // process::supervising_parent(), asked before a sandbox: it could not be looked at from inside.
    std::string followed_by{};
    process::Launcher* launcher = nullptr;  // see Upgrade; must outlive this
    // A successor that was started had the pid file, and came to nothing: takes that back. Says
    // what may be the reason.
    std::function<std::string()> take_back = [] { return std::string(); };
  };
  struct Owner {
    std::function<std::vector<process::Handed>()> handed;  // what a successor gets
    // It serves, and begins to accept when this has returned.
    std::function<void(pid_t)> on_succeeded;
    std::function<void(const std::string& why)> on_refused;  // this process goes on as it is
    std::function<void()> on_over;  // on_refused has been called; other work may go on
  };
  Succession(uv::Loop& loop, log::Log& log, Settings settings, Owner owner);
  ~Succession();
  Succession(const Succession&) = delete;
  Succession& operator=(const Succession&) = delete;

  // Refuses, or remembers that begin() is to be called. `owners_obstacle`: what keeps the owner
  // from it.
  void want(const std::string& owners_obstacle);
  [[nodiscard]] bool is_wanted() const { return is_wanted_; }
  void begin();
  // A successor has been started, and is not ready.
  [[nodiscard]] bool is_under_way() const { return upgrade_ != nullptr; }
  // Kills it: this process is to stop, and nothing else.
  void abandon();

 private:
  [[nodiscard]] std::string obstacle() const;
  void on_ready(pid_t pid, const std::string& said);
  void on_failed(const Upgrade::Failed& failed);
  void refuse(const Upgrade::Failed& failed);

  uv::Loop& loop_;
  log::Log& log_;
  const Settings settings_;
  const Owner owner_;
  bool is_wanted_ = false;
  std::unique_ptr<Upgrade> upgrade_;
};

}  // namespace tunnel::runtime
