// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "log/process_log.h"
#include "log/rate_limit.h"
#include "process/notify.h"
#include "process/passed_sockets.h"
#include "process/program.h"
#include "runtime/acceptor.h"
#include "runtime/administration.h"
#include "runtime/beat.h"
#include "runtime/captures.h"
#include "runtime/control_socket.h"
#include "runtime/exec_client.h"
#include "runtime/file_watch.h"
#include "runtime/loader.h"
#include "runtime/messages.h"
#include "runtime/reloader.h"
#include "runtime/resolution.h"
#include "runtime/sentry.h"
#include "runtime/snapshot.h"
#include "runtime/status_service.h"
#include "runtime/stdio_client.h"
#include "runtime/upgrade.h"
#include "runtime/worker.h"
#include "sandbox/sandbox.h"
#include "tls/remembered.h"
#include "tunnel/health_check.h"
#include "uv/loop.h"
#include "uv/mailbox.h"
#include "uv/timer.h"

namespace tunnel::runtime {

// Runs the services of a configuration from bound listeners to the last connection: owns the control
// loop, the acceptor, name resolution, the workers and the sentry. Owned by run(); main thread.
class Supervisor {
 public:
  struct Settings {
    Build build;  // what to begin with
    // The client of the only service with accept = "stdio", or null; must outlive this.
    StdioClient* stdio = nullptr;
    log::ProcessLog& log;
    unsigned workers = 1;
    Loader& loader;  // for reloads; must outlive this
    const sandbox::Sandbox& sandbox;  // in force; for the status
    ControlSocket* control = nullptr;  // which must outlive this; null: none
    // How to start a successor, and what it gets beside our listeners; or why that cannot be.
    Result<process::Program> program;
    std::function<std::vector<process::Handed>()> handed;
    // process::supervising_parent(), asked before a sandbox: it could not be looked at from inside.
    std::string followed_by{};
    process::Launcher* launcher = nullptr;  // see Upgrade; must outlive this
    // A successor that was started had the pid file, and came to nothing. Says what may be the reason.
    std::function<std::string()> on_upgrade_failed = [] { return std::string(); };
    // How the log is to be, for a configuration; of the process as it runs.
    std::function<log::Options(const config::Global&)> log_options;
  };
  explicit Supervisor(Settings settings);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Starts everything and says so in the log; from here on clients are served.
  [[nodiscard]] Result<void> start();
  // The service manager is told, and given the listeners to keep.
  void tell_manager();
  // Until told to stop. Returns the exit status.
  int run();
  // Why the one connection of standard input failed: a sentence, or empty. After run().
  [[nodiscard]] const std::string& failure() const { return failure_; }

  // How a reload went, for people: one line a service, or why nothing has changed.
  struct Reloaded {
    bool is_done = false;
    std::vector<std::string> lines;
  };
  using OnReloaded = std::function<void(const Reloaded&)>;
  // Reads the configuration again and puts it in force, all of it or nothing. This thread.
  void reload(OnReloaded on_reloaded);

 private:
  void commit(Build build);
  [[nodiscard]] std::vector<ServiceHandle> services_that_take_clients() const;
  void take_no_more(ServiceId id);
  void keep_listeners();
  void leave_files();
  void check(const ServiceHandle& service);
  void serve_stdio();
  void run_programs();
  void log_stopped();
  void on_message(ToSupervisor message);
  void on_gone(const ConnectionGone& gone);
  void on_stdio_done(const std::string& error);
  void on_stdio_gone(const Outcome& outcome);
  void leave_if_stdio_over();
  void hand_over(Accepted accepted);
  void on_answer(const std::string& name, const AddressBook::Answer& answer);
  void on_targets(const ServiceHandle& service, std::shared_ptr<const balance::Layout> layout,
                  const std::string& error);
  void on_target_changed(const TargetChanged& changed);
  void send_all(const ToWorkerFactory& make);
  [[nodiscard]] std::string serving() const;
  [[nodiscard]] Result<void> watch();
  void report_stalled(std::size_t loop);
  void on_signal(int number);
  void on_stop_signal(const char* name);
  enum class Successor { none, keeps, serves };
  void drain(const std::string& why, Successor successor);
  void on_reload_signal();
  void on_upgrade_signal();
  void begin_upgrade();
  void on_upgraded(pid_t pid, const std::string& said);
  void on_upgrade_failed(const Upgrade::Failed& failed);
  void report(const Upgrade::Failed& failed);
  [[nodiscard]] std::string why_no_upgrade() const;
  // What the next process finds by its name: our listeners, that of the status, the control socket.
  struct Own {
    process::Handed handed;
    int family;
  };
  [[nodiscard]] std::vector<Own> own_sockets() const;
  void begin_next_job();
  void on_job_done(Reloader::Done done);
  void on_configuration_loaded(Build build);
  void report(const Reloaded& result);
  void start_polling();
  void poll_files();
  void on_looked(std::map<ServiceId, FileIdentities> found);
  void on_credentials_loaded(ServiceId id, Build build);
  void use_programs();
  void run_program(const ServiceHandle& service);
  void on_status_wanted(const StatusWanted& wanted);
  void leave_if_empty();
  void stop_now(const char* why);
  void answer_all();

  static constexpr const char* kNotReloaded = "the process is stopping, so nothing was reloaded";

  log::ProcessLog& log_;
  const std::function<log::Options(const config::Global&)> log_options_;
  Build first_;                                // until start()
  std::shared_ptr<const Snapshot> snapshot_;  // in force; from start() on
  process::Notifier notifier_;
  // The names of the listeners in the service manager's keeping.
  std::set<std::string> kept_;
  ControlSocket* const control_;
  const Result<process::Program> program_;
  const std::function<std::vector<process::Handed>()> handed_;
  const std::string followed_by_;
  process::Launcher* const launcher_;
  const std::function<std::string()> restore_;
  bool is_keeping_ = false;  // from the start's READY=1 on, where there is a manager
  uv::Loop loop_;
  // Read and written by all threads.
  std::atomic<std::size_t> connections_{0};
  std::atomic<bool> is_gone_wanted_{false};

  // Locks by itself.
  tls::Remembered remembered_;
  AddressHistory address_history_;

  uv::Mailbox<ToSupervisor> mailbox_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::size_t next_worker_ = 0;
  AddressBook book_;  // for the checks
  balance::Random random_;
  std::map<ServiceId, std::unique_ptr<HealthChecks>> checks_;
  std::unique_ptr<Resolution> resolution_;
  std::unique_ptr<Acceptor> acceptor_;
  std::map<ServiceId, std::unique_ptr<ExecClient>> exec_clients_;
  StdioClient* const stdio_;
  bool is_stdio_done_ = false;       // it is not read or written any more
  bool is_stdio_connected_ = false;  // how its connection ended is not known yet
  uv::Timer stop_timer_;
  // Reloads that wait for the next job, and those that the job under way is for.
  std::vector<OnReloaded> waiting_reloads_;
  std::vector<OnReloaded> current_reloads_;
  // Files of credentials.
  std::map<ServiceId, FileWatch> file_watches_;
  std::deque<ServiceId> settled_;  // changed and at rest, to be loaded
  log::RateLimit credential_failures_;
  uv::Timer poll_timer_;
  Captures captures_;
  Pulse pulse_;
  Beat beat_;
  std::unique_ptr<Sentry> sentry_;  // looks at the pulses of all loops

  std::unique_ptr<Upgrade> upgrade_;
  bool is_upgrade_wanted_ = false;  // when the reload under way is over

  bool is_stopping_ = false;
  bool is_succeeded_ = false;  // by another process, and no signal to stop has come since
  bool is_leaving_ = false;
  int exit_status_ = 0;
  std::string failure_;

  std::unique_ptr<Administration> administration_;
  std::unique_ptr<StatusService> status_;  // from start() on; its thread uses mailbox and beats
  Reloader reloader_;     // last: its thread uses the mailbox
};

}  // namespace tunnel::runtime
