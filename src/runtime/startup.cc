// SPDX-License-Identifier: MIT
#include "runtime/startup.h"

#include <signal.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/text.h"
#include "process/identity.h"
#include "process/limits.h"
#include "process/notify.h"
#include "runtime/confinement.h"
#include "runtime/exit_status.h"
#include "runtime/log_place.h"

namespace tunnel::runtime {
namespace {

constexpr unsigned kMostAutomaticWorkers = 16;
// A worker's loop has five descriptors of its own. Where there are few, connections need them more.
constexpr std::uint64_t kDescriptorsForWorker = 32;
// Without these there is no first connection.
constexpr std::uint64_t kFewestOpenFiles = 32;

unsigned automatic_workers(std::uint64_t open_files) {
  const unsigned most = std::min(process::usable_cpus(), kMostAutomaticWorkers);
  const std::uint64_t room = std::max<std::uint64_t>(1, open_files / kDescriptorsForWorker);
  return static_cast<unsigned>(std::min<std::uint64_t>(most, room));
}

// Reports what keeps the process from starting; the exit status for it.
int refuse(const Build& build, Voice voice) {
  for (const std::string& problem : build.problems) say(problem, voice);
  if (build.diagnostics.empty()) return kRunTimeError;
  if (voice == Voice::syslog) {
    say(build.diagnostics, voice);
  } else {
    (void)std::fputs(build.diagnostics.c_str(), stderr);
  }
  return kConfigurationError;
}

// The file as it is handed over, or a new one. Null without `pid_file`.
Result<std::unique_ptr<process::PidFile>> take_or_create(const std::string& path,
                                                         process::PassedSockets& passed) {
  Fd handed = passed.take_handed(process::kHandedPidFile);
  if (path.empty()) return nullptr;
  auto adopted = process::PidFile::adopt(path, std::move(handed));
  if (adopted) return adopted;
  return process::PidFile::create(path);
}

}  // namespace

Startup::Startup(Loader& loader, const Start& start)
    : loader_(loader),
      start_(start),
      voice_(start.stdio != nullptr && start.stdio->is_stderr_taken() ? Voice::syslog
                                                                      : Voice::standard_error) {}

Startup::~Startup() = default;

// Everything that may need root's rights comes before drop_privileges(): low ports and keys, a log
// file, folders in /run. The pid file comes after the listeners, for a process that finds it may
// connect. Nothing is in force before commit(), so a failure anywhere ends the process and leaves
// nothing behind.
int Startup::load() {
  if (auto settled = settle(); !settled) return fail(settled.error());
  build_ = loader_.load_first();
  if (!build_.snapshot) return refuse(build_, voice_);
  warnings_ = build_.snapshot->warnings;
  for (const auto step : {&Startup::open_log, &Startup::open_control, &Startup::open_pid_file,
                          &Startup::drop_privileges}) {
    if (auto done = (this->*step)(); !done) return fail(done.error());
  }
  return 0;
}

int Startup::fail(const Error& error) const {
  say(error.text, voice_);
  return kRunTimeError;
}

// What holds for the whole process, and what must be asked or forked before it has keys.
Result<void> Startup::settle() {
  (void)::signal(SIGPIPE, SIG_IGN);
  (void)::signal(SIGXFSZ, SIG_IGN);  // a file that must not grow is an error of who writes it
  open_files_ = process::raise_open_files();
  if (open_files_ && *open_files_ < kFewestOpenFiles) {
    return failed(ErrorCode::exhausted,
                  "cannot serve with a limit of " + std::to_string(*open_files_) +
                      " open files; raise it to " + std::to_string(kFewestOpenFiles) +
                      " at least (ulimit -n, LimitNOFILE=)");
  }
  // What a container allows of the processors is read in /sys, which a sandbox closes.
  if (start_.stdio == nullptr) {
    workers_ =
        global().workers.value_or(automatic_workers(open_files_ ? *open_files_ : UINT64_MAX));
  }
  // As the user that started it: where the control socket is put depends on who that is.
  needs_ = loader_.needs();
  followed_by_ = process::supervising_parent();  // from inside a sandbox it is out of sight
  launcher_ = start_launcher();
  return {};
}

// Where this process will not be able to start a program, and may yet be asked for another in its
// place; else null.
Result<std::unique_ptr<process::Launcher>> Startup::start_launcher() const {
  const auto& identity = loader_.identity();
  const bool is_wanted = start_.stdio == nullptr && ::getpid() != 1 && followed_by_.empty() &&
                         sandbox::keeps_programs_out(needs_, global().sandbox);
  if (!is_wanted || !identity || !start_.program) return nullptr;
  return process::Launcher::start(*start_.program, *identity);
}

// A sandbox is for the threads that begin in it: the log's waits.
Result<void> Startup::open_log() {
  options_ = log_options(global(), voice_, start_.standard_error);
  // SIGUSR1 opens the file again as that user.
  if (const auto& identity = loader_.identity()) options_.owner = {identity->uid, identity->gid};
  auto log = log::ProcessLog::open(options_, log::ProcessLog::Writing::waits);
  if (!log) return tl::unexpected(std::move(log).error());
  log_ = std::move(*log);
  if (!open_files_) log_->warning({}, open_files_.error().text);
  if (!launcher_) {
    log_->warning({},
                  "SIGUSR2 will not work, restart instead: no process could be made that starts "
                  "others: " +
                      launcher_.error().text);
  }
  return {};
}

Result<void> Startup::open_control() {
  if (start_.stdio != nullptr) return {};
  auto opened =
      ControlSocket::open(loader_.config().path, global().control, options_.owner, start_.passed);
  if (!opened) return tl::unexpected(std::move(opened).error());
  control_ = std::move(opened->socket);
  if (!opened->notice.empty()) log_->warning({}, opened->notice);
  return {};
}

Result<void> Startup::open_pid_file() {
  if (start_.stdio != nullptr) return {};
  auto opened = take_or_create(global().pid_file, start_.passed);
  if (!opened) return tl::unexpected(std::move(opened).error());
  pid_file_ = std::move(*opened);
  if (const pid_t other = pid_file_ ? pid_file_->replaced() : 0; other != 0) {
    log_->warning({}, "pid file " + printable(global().pid_file) + " named process " +
                          std::to_string(other) +
                          ", which is not a tunnel with this file, and has been overwritten");
  }
  return {};
}

// Becomes another user, and gives up what the sandbox takes.
Result<void> Startup::drop_privileges() {
  const auto& identity = loader_.identity();
  if (!identity) return tl::unexpected(identity.error());
  if (auto assumed = process::assume(*identity); !assumed) return assumed;
  sandbox_ = confine(needs_, global().sandbox);
  if (const std::string why = sandbox_.failure(); !why.empty()) {
    return failed(ErrorCode::unavailable, why);
  }
  loader_.confine(sandbox_);
  return {};
}

int Startup::commit() {
  supervisor_ = std::make_unique<Supervisor>(settings());
  // In an upgrade standard error is a pipe to the process that is replaced, which reports what went
  // wrong. The log's own lines belong where the service's have gone so far.
  start_.readiness.take_standard_error();
  if (auto begun = log_->begin(); !begun) return fail(begun.error());
  if (global().sandbox != config::Sandbox::off) log_->info({}, sandbox_.report().sentence());
  if (auto started = supervisor_->start(); !started) return fail(started.error());
  announce();
  const int status = supervisor_->run();
  report_failure(status);
  return status;
}

Supervisor::Settings Startup::settings() {
  return {.build = std::move(build_),
          .stdio = start_.stdio,
          .log = *log_,
          .workers = workers_,
          .loader = loader_,
          .sandbox = sandbox_,
          .control = control_.get(),
          .succession = {.program = start_.program,
                         .followed_by = followed_by_,
                         .launcher = launcher_ ? launcher_->get() : nullptr,
                         .take_back =
                             [this] {
                               if (pid_file_) (void)pid_file_->claim();
                               return lost_rights();
                             }},
          .handed = [this] { return handed_over(); },
          .log_options =
              [this](const config::Global& now) {
                // `foreground` decides about the default of log_file, and takes a restart.
                config::Global as_it_runs = now;
                as_it_runs.foreground = global().foreground;
                log::Options its = log_options(as_it_runs, voice_);
                its.owner = options_.owner;
                return its;
              }};
}

// What a process that replaces this one gets beside the listeners that are ours.
std::vector<process::Handed> Startup::handed_over() const {
  std::vector<process::Handed> handed = start_.passed.given();
  if (pid_file_) handed.push_back({std::string(process::kHandedPidFile), pid_file_->fd()});
  return handed;
}

// What a process that replaces this one may want for.
std::string Startup::lost_rights() const {
  if (!start_.was_root || ::geteuid() == 0) return "";
  return "; this process was root when it started and is user " + std::to_string(::geteuid()) +
         " now, and so is the new one: where it must read what only root may, restart instead";
}

// Clients are served: the caller, the predecessor and the service manager are to know.
void Startup::announce() {
  introduce();
  // Closed here and, further down, in the manager's store: as long as either has a copy, the
  // address stays bound, and its backlog takes clients.
  const std::vector<std::string> not_wanted = start_.passed.drop_kept();
  // Before the word: a process that ends removes a file that still names it.
  if (start_.passed.is_upgrade() && pid_file_) (void)pid_file_->claim();
  start_.readiness.ready();
  const process::Notifier manager(std::getenv("NOTIFY_SOCKET"));
  for (const std::string& name : not_wanted) (void)manager.drop(name);
  supervisor_->tell_manager();
}

bool Startup::is_logged_on_stderr() const {
  return options_.sink == log::Options::Sink::standard_error || options_.is_also_on_stderr;
}

// A daemon that came up says what its log warns of, where it is, and where its log goes: the caller
// sees nothing else of it. A log without a syslog daemon goes nowhere.
void Startup::introduce() const {
  // Who uses standard input has the failure itself reported, and no file to mend for a log.
  if (start_.stdio != nullptr && global().log_file.empty()) return;
  if (start_.passed.is_upgrade() || voice_ != Voice::standard_error) return;
  if (options_.sink == log::Options::Sink::syslog) {
    const auto found = log::ProcessLog::find_syslog();
    if (!found) {
      warn(found.error().text + ", so the log is lost; set log_file to a path or \"journal\" in " +
           printable(loader_.config().path, 4096) + ", or foreground = true");
    }
  }
  if (!start_.readiness.is_awaited()) return;
  for (const Warning& warning : warnings_) {
    if (is_logged_on_stderr()) break;
    warn(warning.line());
  }
  (void)std::fprintf(stderr, "tunnel: running as process %ld; the log goes to %s\n",
                     static_cast<long>(::getpid()), where_the_log_goes(options_).c_str());
}

// As ssh's ProxyCommand: standard error is all that the user sees.
void Startup::report_failure(int status) const {
  if (status == 0 || is_logged_on_stderr() || voice_ != Voice::standard_error) return;
  if (start_.stdio == nullptr || supervisor_->failure().empty()) return;
  say(printable(supervisor_->failure(), 4096));
}

}  // namespace tunnel::runtime
