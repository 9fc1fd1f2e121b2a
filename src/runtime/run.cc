// SPDX-License-Identifier: MIT
#include "runtime/run.h"

#include <signal.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "base/text.h"
#include "log/process_log.h"
#include "process/daemon.h"
#include "process/identity.h"
#include "process/launcher.h"
#include "process/limits.h"
#include "process/notify.h"
#include "process/passed_sockets.h"
#include "process/pid_file.h"
#include "process/program.h"
#include "runtime/confinement.h"
#include "runtime/control_socket.h"
#include "runtime/loader.h"
#include "runtime/snapshot.h"
#include "runtime/stdio_client.h"
#include "runtime/supervisor.h"

namespace tunnel::runtime {
namespace {

constexpr int kRunTimeError = 1;
constexpr int kConfigurationError = 2;
constexpr unsigned kMostAutomaticWorkers = 16;
// A worker's loop has five descriptors of its own. Where there are few, connections need them more.
constexpr std::uint64_t kDescriptorsForWorker = 32;
// Without these there is no first connection.
constexpr std::uint64_t kFewestOpenFiles = 32;

// Where problems of the start are said: standard error, which under inetd is the client's socket.
enum class Voice { standard_error, syslog };

void say(const std::string& text, Voice voice = Voice::standard_error) {
  if (voice == Voice::syslog) return ::syslog(LOG_DAEMON | LOG_ERR, "error: %s", text.c_str());
  const char* priority = log::ProcessLog::is_standard_error_journal() ? "<3>" : "";
  (void)std::fprintf(stderr, "%stunnel: error: %s\n", priority, text.c_str());
}

void warn(const std::string& text) {
  const char* priority = log::ProcessLog::is_standard_error_journal() ? "<4>" : "";
  (void)std::fprintf(stderr, "%stunnel: warning: %s\n", priority, text.c_str());
}

bool is_on_stdio(const config::Config& config) {
  for (const config::Service& service : config.services) {
    for (const config::Accept& accept : service.accept) {
      if (accept.form == config::Accept::Form::stdio) return true;
    }
  }
  return false;
}

// `standard_error` is what standard error will be.
log::Options log_options(const config::Global& global, Voice voice,
                         int standard_error = STDERR_FILENO) {
  using Sink = log::Options::Sink;
  log::Options options;
  options.json = global.log_format == config::LogFormat::json;
  options.level = global.log_level;
  options.is_stderr_journal = log::ProcessLog::is_standard_error_journal(standard_error);
  std::vector<std::string> places = global.log_file;
  if (places.empty()) places = {global.foreground ? "stderr" : "syslog"};
  if (places.size() > 1) {
    options.is_also_on_stderr = voice != Voice::syslog;
    std::erase(places, "stderr");
  }
  std::string where = places.front();
  // Never into what the client reads.
  if (where == "stderr" && voice == Voice::syslog) where = "syslog";
  if (where == "stderr") {
    options.sink = Sink::standard_error;
  } else if (where == "syslog") {
    options.sink = Sink::syslog;
  } else if (where == "journal") {
    options.sink = Sink::journal;
  } else {
    options.sink = Sink::file;
    options.path = where;
  }
  return options;
}

std::string where_the_log_goes(const log::Options& options) {
  switch (options.sink) {
    case log::Options::Sink::standard_error:
      return "/dev/null, for a daemon has no standard error: set log_file";
    case log::Options::Sink::syslog:
      return "syslog";
    case log::Options::Sink::journal:
      return "the journal";
    case log::Options::Sink::file:
      return printable(options.path, 4096);
  }
  return "";
}

// A daemon that came up says what its log warns of, where it is, and where its words go: the caller
// sees nothing else of it. A log without a syslog daemon goes nowhere.
void introduce(const log::Options& options, const std::string& path, Voice voice, bool is_daemon,
               const std::vector<Warning>& warnings) {
  if (voice != Voice::standard_error) return;
  if (options.sink == log::Options::Sink::syslog) {
    const auto found = log::ProcessLog::find_syslog();
    if (!found) {
      warn(found.error().text + ", so the log is lost; set log_file to a path or \"journal\" in " +
           printable(path, 4096) + ", or foreground = true");
    }
  }
  if (!is_daemon) return;
  const bool is_shown = options.sink == log::Options::Sink::standard_error || options.is_also_on_stderr;
  for (const Warning& warning : warnings) {
    if (is_shown) break;
    warn((warning.service.empty() ? "" : "[" + warning.service + "] ") + warning.text);
  }
  (void)std::fprintf(stderr, "tunnel: running as process %ld; the log goes to %s\n",
                     static_cast<long>(::getpid()), where_the_log_goes(options).c_str());
}

unsigned automatic_workers(std::uint64_t open_files) {
  const unsigned most = std::min(process::usable_cpus(), kMostAutomaticWorkers);
  const std::uint64_t room = std::max<std::uint64_t>(1, open_files / kDescriptorsForWorker);
  return static_cast<unsigned>(std::min<std::uint64_t>(most, room));
}

// Says what keeps the process from starting; the exit status for it.
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
Result<std::unique_ptr<process::PidFile>> open_pid_file(const std::string& path,
                                                        process::PassedSockets& passed) {
  Fd handed = passed.take_handed(process::kHandedPidFile);
  if (path.empty()) return nullptr;
  auto adopted = process::PidFile::adopt(path, std::move(handed));
  if (adopted) return adopted;
  return process::PidFile::create(path);
}

// What a process that replaces this one gets beside the listeners that are ours.
std::vector<process::Handed> handed_over(const process::PassedSockets& passed,
                                         const process::PidFile* pid_file) {
  std::vector<process::Handed> handed = passed.given();
  if (pid_file != nullptr) {
    handed.push_back({std::string(process::kHandedPidFile), pid_file->fd()});
  }
  return handed;
}

// What the process is from its start on.
struct Start {
  process::PassedSockets& passed;
  StdioClient* stdio = nullptr;
  process::Readiness& readiness;
  int standard_error = STDERR_FILENO;  // as it will be
  Result<process::Program> program;
  bool was_root = ::geteuid() == 0;
};

// What a process that replaces this one may want for.
std::string lost_rights(const Start& start) {
  if (!start.was_root || ::geteuid() == 0) return "";
  return "; this process was root when it started and is user " + std::to_string(::geteuid()) +
         " now, and so is the new one: where it must read what only root may, restart instead";
}

// Where this process will not be able to start a program, and may yet be asked for another in its
// place; else null.
Result<std::unique_ptr<process::Launcher>> start_launcher(const Start& start,
                                                          const Result<process::Identity>& identity,
                                                          const sandbox::Needs& needs,
                                                          const config::Global& global,
                                                          const std::string& followed_by) {
  const bool is_wanted = start.stdio == nullptr && ::getpid() != 1 && followed_by.empty() &&
                         sandbox::keeps_programs_out(needs, global.sandbox);
  if (!is_wanted || !identity || !start.program) return nullptr;
  return process::Launcher::start(*start.program, *identity);
}

// Everything between a valid configuration and served clients, in an order that starts nothing
// half: load and bind, open the log, write the pid file, become another user, serve.
int serve(Loader& loader, const Start& start) {
  process::PassedSockets& passed = start.passed;
  StdioClient* const stdio = start.stdio;
  const Voice voice =
      stdio != nullptr && stdio->is_stderr_taken() ? Voice::syslog : Voice::standard_error;
  const config::Global& global = loader.config().global;
  const auto& identity = loader.identity();
  (void)::signal(SIGPIPE, SIG_IGN);
  (void)::signal(SIGXFSZ, SIG_IGN);  // a file that must not grow is an error of who writes it
  const auto open_files = process::raise_open_files();
  if (open_files && *open_files < kFewestOpenFiles) {
    say("cannot serve with a limit of " + std::to_string(*open_files) + " open files; raise it to " +
            std::to_string(kFewestOpenFiles) + " at least (ulimit -n, LimitNOFILE=)",
        voice);
    return kRunTimeError;
  }
  // What a container allows of the processors is read in /sys, which a sandbox closes.
  const unsigned workers =
      stdio != nullptr
          ? 1
          : global.workers.value_or(automatic_workers(open_files ? *open_files : UINT64_MAX));
  const sandbox::Needs needs = loader.needs();
  const std::string followed_by = process::supervising_parent();  // from inside it is out of sight
  const auto launcher = start_launcher(start, identity, needs, global, followed_by);
  Build build = loader.load_first();
  if (!build.snapshot) return refuse(build, voice);
  log::Options options = log_options(global, voice, start.standard_error);
  if (identity) options.owner = {identity->uid, identity->gid};
  // A sandbox is for the threads that begin in it: the log's waits.
  auto log = log::ProcessLog::open(options, log::ProcessLog::Writing::waits);
  if (!log) {
    say(log.error().text, voice);
    return kRunTimeError;
  }
  if (!open_files) (*log)->warning({}, open_files.error().text);
  if (!launcher) {
    (*log)->warning({}, "SIGUSR2 will not work, restart instead: no process could be made that starts "
                        "others: " + launcher.error().text);
  }
  ControlSocket::Opened control;
  if (stdio == nullptr) {
    auto opened = ControlSocket::open(loader.config().path, global.control, options.owner,
                                      passed);
    if (!opened) {
      say(opened.error().text, voice);
      return kRunTimeError;
    }
    control = std::move(*opened);
    if (!control.notice.empty()) (*log)->warning({}, control.notice);
  }
  std::unique_ptr<process::PidFile> pid_file;
  if (stdio == nullptr) {
    auto opened = open_pid_file(global.pid_file, passed);
    if (!opened) {
      say(opened.error().text, voice);
      return kRunTimeError;
    }
    pid_file = std::move(*opened);
    if (const pid_t other = pid_file ? pid_file->replaced() : 0; other != 0) {
      (*log)->warning({}, "pid file " + printable(global.pid_file) + " named process " +
                              std::to_string(other) +
                              ", which is not a tunnel with this file, and has been overwritten");
    }
  }
  const auto assumed =
      identity ? process::assume(*identity) : tl::make_unexpected(identity.error());
  if (!assumed) {
    say(assumed.error().text, voice);
    return kRunTimeError;
  }
  const std::vector<Warning> warnings = build.snapshot->warnings;
  const sandbox::Sandbox sandbox = confine(needs, global.sandbox);
  if (const std::string failure = sandbox.failure(); !failure.empty()) {
    say(failure, voice);
    return kRunTimeError;
  }
  loader.confine(sandbox);

  Supervisor supervisor({.build = std::move(build),
                         .stdio = stdio,
                         .log = **log,
                         .workers = workers,
                         .loader = loader,
                         .sandbox = sandbox,
                         .control = control.socket.get(),
                         .succession = {.program = start.program,
                                        .followed_by = followed_by,
                                        .launcher = launcher ? launcher->get() : nullptr,
                                        .take_back =
                                            [&] {
                                              if (pid_file) (void)pid_file->claim();
                                              return lost_rights(start);
                                            }},
                         .handed = [&] { return handed_over(passed, pid_file.get()); },
                         .log_options = [&](const config::Global& now) {
                           config::Global as_it_runs = now;
                           as_it_runs.foreground = global.foreground;
                           log::Options its = log_options(as_it_runs, voice);
                           its.owner = options.owner;
                           return its;
                         }});
  start.readiness.take_standard_error();
  if (auto begun = (*log)->begin(); !begun) {
    say(begun.error().text, voice);
    return kRunTimeError;
  }
  if (global.sandbox != config::Sandbox::off) (*log)->info({}, sandbox.report().sentence());
  if (auto started = supervisor.start(); !started) {
    say(started.error().text, voice);
    return kRunTimeError;
  }
  // Who uses standard input has the failure itself said, and no file to mend for a log.
  if ((stdio == nullptr || !global.log_file.empty()) && !passed.is_upgrade()) {
    introduce(options, loader.config().path, voice, start.readiness.is_awaited(), warnings);
  }
  const std::vector<std::string> not_wanted = passed.drop_kept();
  if (passed.is_upgrade() && pid_file) (void)pid_file->claim();
  start.readiness.ready();
  const process::Notifier manager(std::getenv("NOTIFY_SOCKET"));
  for (const std::string& name : not_wanted) (void)manager.drop(name);
  supervisor.tell_manager();
  const int status = supervisor.run();
  // As ssh's ProxyCommand: standard error is all that the user sees.
  const bool is_said =
      options.sink == log::Options::Sink::standard_error || options.is_also_on_stderr;
  if (status != 0 && !is_said && voice == Voice::standard_error && stdio != nullptr &&
      !supervisor.failure().empty()) {
    say(printable(supervisor.failure(), 4096));
  }
  return status;
}

}  // namespace

std::vector<std::string> check_credentials(config::Document& document) {
  Prepared prepared = prepare(document.config, tls::Context::Purpose::check);
  report(document, prepared.problems);
  std::vector<std::string> warnings;
  for (const Warning& warning : prepared.warnings) {
    warnings.push_back("[" + warning.service + "] " + warning.text);
  }
  return warnings;
}

namespace {

// As process 1, in a container: nothing else would be left to wait for.
config::Document settled(config::Document document) {
  if (::getpid() == 1) document.config.global.foreground = true;
  return document;
}

}  // namespace

int run(config::Document document, std::function<config::Document()> read_again, int ready_fd) {
  auto passed = process::PassedSockets::take();
  if (!passed) {
    say(passed.error().text);
    return kRunTimeError;
  }
  Loader loader(settled(std::move(document)),
                [read_again = std::move(read_again)] { return settled(read_again()); }, *passed);
  const config::Config& config = loader.config();
  process::Readiness readiness;
  std::unique_ptr<StdioClient> stdio;
  // Before a daemon changes its folder.
  Start start{.passed = *passed, .readiness = readiness, .program = process::Program::of_this_process()};
  if (is_on_stdio(config)) {
    auto taken = StdioClient::take();
    if (!taken) {
      say(taken.error().text);
      return kRunTimeError;
    }
    stdio = std::move(*taken);
    start.stdio = stdio.get();
  } else if (passed->is_upgrade()) {
    process::Readiness::Predecessor predecessor{
        .ready = passed->take_handed(process::kHandedReady),
        .standard_error = passed->take_handed(process::kHandedStderr),
        .is_daemon = !config.global.foreground};
    start.standard_error = predecessor.standard_error.get();
    readiness = process::Readiness(std::move(predecessor));
  } else if (!config.global.foreground) {
    if (const std::string parent = process::supervising_parent(); !parent.empty()) {
      warn(parent +
           " has started this process and waits for it to stay, but it becomes a daemon; "
           "set foreground = true in " +
           printable(config.path, 4096) + ", or start it with --foreground");
    }
    auto daemonized = process::daemonize();
    if (!daemonized) {
      say(daemonized.error().text);
      return kRunTimeError;
    }
    if (daemonized->exit_status) return *daemonized->exit_status;
    readiness = std::move(daemonized->readiness);
  }
  if (ready_fd >= 0) readiness.also_tell(ready_fd);
  const int status = serve(loader, start);
  // Does nothing once ready() was said.
  if (status != 0) readiness.failed("", status);
  return status;
}

}  // namespace tunnel::runtime
