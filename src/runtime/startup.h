// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "log/process_log.h"
#include "process/daemon.h"
#include "process/launcher.h"
#include "process/passed_sockets.h"
#include "process/pid_file.h"
#include "process/program.h"
#include "runtime/control_socket.h"
#include "runtime/loader.h"
#include "runtime/start_voice.h"
#include "runtime/stdio_client.h"
#include "runtime/supervisor.h"
#include "sandbox/needs.h"
#include "sandbox/sandbox.h"

namespace tunnel::runtime {

// What the process is from its start on.
struct Start {
  process::PassedSockets& passed;
  StdioClient* stdio = nullptr;
  process::Readiness& readiness;
  int standard_error = STDERR_FILENO;  // as it will be
  Result<process::Program> program;
  bool was_root = ::geteuid() == 0;
};

// Everything between a valid configuration and the exit, in an order that never leaves a
// half-started process: load and bind, open the log, the control socket and the pid file, drop
// privileges, serve. Owned by run(); main thread. What it is given must outlive it.
class Startup {
 public:
  Startup(Loader& loader, const Start& start);
  ~Startup();
  Startup(const Startup&) = delete;
  Startup& operator=(const Startup&) = delete;

  // Both return an exit status, and have reported an error.
  // 0: everything is at hand, nothing is in force, and the process is what it will be.
  [[nodiscard]] int load();
  // After that: serves until the process is to stop.
  [[nodiscard]] int commit();

 private:
  [[nodiscard]] const config::Global& global() const { return loader_.config().global; }
  [[nodiscard]] Result<void> settle();
  [[nodiscard]] Result<std::unique_ptr<process::Launcher>> start_launcher() const;
  [[nodiscard]] Result<void> open_log();
  [[nodiscard]] Result<void> open_control();
  [[nodiscard]] Result<void> open_pid_file();
  [[nodiscard]] Result<void> drop_privileges();
  [[nodiscard]] Supervisor::Settings settings();
  [[nodiscard]] std::vector<process::Handed> handed_over() const;
  [[nodiscard]] std::string lost_rights() const;
  void announce();
  [[nodiscard]] bool is_logged_on_stderr() const;
  void introduce() const;
  void report_failure(int status) const;
  [[nodiscard]] int fail(const Error& error) const;

  Loader& loader_;
  const Start start_;
  const Voice voice_;
  Result<std::uint64_t> open_files_;
  unsigned workers_ = 1;
  sandbox::Needs needs_;
  std::string followed_by_;
  Result<std::unique_ptr<process::Launcher>> launcher_;  // null: none is needed
  Build build_;                                          // until commit()
  std::vector<Warning> warnings_;
  log::Options options_;
  std::unique_ptr<log::ProcessLog> log_;
  std::unique_ptr<ControlSocket> control_;
  std::unique_ptr<process::PidFile> pid_file_;
  sandbox::Sandbox sandbox_;
  std::unique_ptr<Supervisor> supervisor_;
};

}  // namespace tunnel::runtime
