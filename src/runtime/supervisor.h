// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "log/process_log.h"
#include "process/notify.h"
#include "process/passed_sockets.h"
#include "runtime/acceptor.h"
#include "runtime/administration.h"
#include "runtime/beat.h"
#include "runtime/captures.h"
#include "runtime/control_socket.h"
#include "runtime/credential_watch.h"
#include "runtime/descriptor_store.h"
#include "runtime/exec_clients.h"
#include "runtime/loader.h"
#include "runtime/messages.h"
#include "runtime/reload_requests.h"
#include "runtime/reloader.h"
#include "runtime/resolution.h"
#include "runtime/sentry.h"
#include "runtime/snapshot.h"
#include "runtime/snapshot_index.h"
#include "runtime/status_service.h"
#include "runtime/stdio_session.h"
#include "runtime/succession.h"
#include "runtime/workers.h"
#include "sandbox/sandbox.h"
#include "tls/remembered.h"
#include "tunnel/health_check.h"
#include "uv/loop.h"
#include "uv/mailbox.h"
#include "uv/timer.h"

namespace tunnel::runtime {

// Runs the services of a configuration from bound listeners to the last connection: owns the
// control loop and what turns on it, the workers and the sentry, and decides what follows from
// what. Owned by run(); main thread.
class Supervisor {
 public:
  struct Settings {
    Build build;  // what to begin with
    // The client of the only service with accept = "stdio", or null; must outlive this.
    StdioClient* stdio = nullptr;
    log::ProcessLog& log;
    unsigned workers = 1;
    Loader& loader;                    // for reloads; must outlive this
    const sandbox::Sandbox& sandbox;   // in force; for the status
    ControlSocket* control = nullptr;  // which must outlive this; null: none
    Succession::Settings succession;
    // What a successor gets beside our listeners.
    std::function<std::vector<process::Handed>()> handed;
    // How the log is to be, for a configuration; of the process as it runs.
    std::function<log::Options(const config::Global&)> log_options;
  };
  explicit Supervisor(Settings settings);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Starts everything and says so in the log; from here on clients are served.
  [[nodiscard]] Result<void> start();
  // Reports to the service manager, and gives it the listeners to keep.
  void tell_manager();
  // Until the process is to stop. Returns the exit status.
  int run();
  // Why the one connection of standard input failed: a sentence, or empty. After run().
  [[nodiscard]] std::string failure() const { return stdio_ ? stdio_->failure() : ""; }

  // Reads the configuration again and puts it in force, all of it or nothing. This thread.
  void reload(OnReloaded on_reloaded);

 private:
  // The start (supervisor_start.cc).
  [[nodiscard]] Administration::Process process(const Settings& settings);
  [[nodiscard]] std::unique_ptr<Acceptor> make_acceptor();
  [[nodiscard]] std::unique_ptr<StatusService> make_status();
  [[nodiscard]] std::unique_ptr<Resolution> make_resolution();
  [[nodiscard]] Result<void> watch();
  void report_stalled(std::size_t loop);
  [[nodiscard]] std::string serving() const;

  void serve_stdio();
  // A snapshot comes into force.
  void commit(Build build);
  [[nodiscard]] std::vector<Bound::Entry> opened(std::vector<Bound::Entry> bound,
                                                 const std::vector<ServiceHandle>& open);
  void begin(const ServiceHandle& service);
  [[nodiscard]] std::vector<ServiceHandle> services_that_take_clients() const;
  void take_no_more(ServiceId id);

  // What the next process finds by its name: our listeners, that of the status, the control socket.
  [[nodiscard]] std::vector<OwnSocket> own_sockets() const;
  [[nodiscard]] std::vector<process::Handed> handed_over() const;
  void leave_files();

  // Messages of other threads.
  void on_message(ToSupervisor message);
  void on_status_wanted(const StatusWanted& wanted);
  void on_answer(const std::string& name, const AddressBook::Answer& answer);
  void on_targets(const ServiceHandle& service, std::shared_ptr<const balance::Layout> layout,
                  const std::string& error);
  void on_target_changed(const TargetChanged& changed);
  void send_all(const ToWorkerFactory& make) { return workers_.send_all(make); }

  // Jobs, one at a time (supervisor_jobs.cc).
  [[nodiscard]] static Reloaded not_reloaded();
  void on_reload_signal();
  void on_upgrade_signal();
  void begin_next_job();
  void on_job_done(Reloader::Done done);
  void on_configuration_loaded(Build build);
  [[nodiscard]] Result<void> use_log(const config::Global& global);
  void report(const Reloaded& result);
  [[nodiscard]] bool look_at_files();
  void on_credentials_loaded(ServiceId id, Build build);
  void on_succeeded(pid_t pid);
  void on_no_upgrade(const std::string& why);

  // The stop (supervisor_stop.cc). `kReset`: for resetting all connections and leaving, at most.
  static constexpr Millis kReset{10'000};
  void on_signal(int number);
  void on_stop_signal(const char* name);
  enum class Successor { none, keeps, serves };
  void drain(const std::string& why, Successor successor);
  void on_gone(const ConnectionGone& gone);
  void on_stdio_done(const std::string& error);
  void leave_if_stdio_over();
  void leave_if_empty();
  void stop_now(const char* why);
  void leave();
  [[nodiscard]] int exit_status() const;
  void log_stopped();

  log::ProcessLog& log_;
  const std::function<log::Options(const config::Global&)> log_options_;
  Build first_;                               // until start()
  std::shared_ptr<const Snapshot> snapshot_;  // in force; from start() on
  process::Notifier notifier_;
  DescriptorStore store_;
  ControlSocket* const control_;
  const std::function<std::vector<process::Handed>()> handed_;
  uv::Loop loop_;
  // Read and written by all threads.
  std::atomic<std::size_t> connections_{0};
  std::atomic<bool> is_gone_wanted_{false};

  // Locks by itself.
  tls::Remembered remembered_;
  AddressHistory address_history_;

  uv::Mailbox<ToSupervisor> mailbox_;
  Workers workers_;
  AddressBook book_;  // for the checks
  balance::Random random_;
  std::map<ServiceId, std::unique_ptr<HealthChecks>> checks_;
  std::unique_ptr<Resolution> resolution_;
  std::unique_ptr<Acceptor> acceptor_;
  ExecClients programs_;
  std::unique_ptr<StdioSession> stdio_;  // null: the services have listeners
  uv::Timer stop_timer_;
  ReloadRequests reload_requests_;
  CredentialWatch credentials_;
  Captures captures_;
  Pulse pulse_;
  Beat beat_;
  std::unique_ptr<Sentry> sentry_;  // looks at the pulses of all loops
  Succession succession_;

  bool is_stopping_ = false;
  bool is_succeeded_ = false;  // by another process, and no signal to stop has come since
  bool is_leaving_ = false;
  bool has_reset_ = false;  // connections that were left

  std::unique_ptr<Administration> administration_;
  std::unique_ptr<StatusService> status_;  // from start() on; its thread uses mailbox and beats
  Reloader reloader_;                      // last: its thread uses the mailbox
};

}  // namespace tunnel::runtime
