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
#include "process/limits.h"
#include "process/notify.h"
#include "process/passed_sockets.h"
#include "process/pid_file.h"
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

log::Options log_options(const config::Global& global, Voice voice) {
  using Sink = log::Options::Sink;
  log::Options options;
  options.json = global.log_format == config::LogFormat::json;
  options.level = global.log_level;
  options.is_stderr_journal = log::ProcessLog::is_standard_error_journal();
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

// A daemon that came up says where it is, and where its words go: the caller sees nothing else of
// it. A log without a syslog daemon goes nowhere.
void introduce(const log::Options& options, const std::string& path, Voice voice, bool is_daemon) {
  if (voice != Voice::standard_error) return;
  if (options.sink == log::Options::Sink::syslog) {
    const auto found = log::ProcessLog::find_syslog();
    if (!found) {
      warn(found.error().text + ", so the log is lost; set log_file to a path or \"journal\" in " +
           printable(path, 4096) + ", or foreground = true");
    }
  }
  if (!is_daemon) return;
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

// Everything between a valid configuration and served clients, in an order that starts nothing
// half: load and bind, open the log, write the pid file, become another user, serve.
int serve(Loader& loader, process::PassedSockets& passed, StdioClient* stdio,
          process::Readiness& readiness) {
  const Voice voice =
      stdio != nullptr && stdio->is_stderr_taken() ? Voice::syslog : Voice::standard_error;
  const config::Global& global = loader.config().global;
  const auto& identity = loader.identity();
  (void)::signal(SIGPIPE, SIG_IGN);
  const auto open_files = process::raise_open_files();
  Build build = loader.load_first();
  if (!build.snapshot) return refuse(build, voice);
  const process::Notifier manager(std::getenv("NOTIFY_SOCKET"));
  for (const std::string& name : passed.drop_kept()) (void)manager.drop(name);
  log::Options options = log_options(global, voice);
  if (identity) options.owner = {identity->uid, identity->gid};
  auto log = log::ProcessLog::open(options);
  if (!log) {
    say(log.error().text, voice);
    return kRunTimeError;
  }
  if (!open_files) (*log)->warning({}, open_files.error().text);
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
  if (!global.pid_file.empty() && stdio == nullptr) {
    auto created = process::PidFile::create(global.pid_file);
    if (!created) {
      say(created.error().text, voice);
      return kRunTimeError;
    }
    pid_file = std::move(*created);
    if (const pid_t other = pid_file->replaced(); other != 0) {
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

  const unsigned workers =
      stdio != nullptr
          ? 1
          : global.workers.value_or(automatic_workers(open_files ? *open_files : UINT64_MAX));
  Supervisor supervisor({.build = std::move(build),
                         .stdio = stdio,
                         .log = **log,
                         .workers = workers,
                         .loader = loader,
                         .control = control.socket ? control.socket->fd() : -1,
                         .log_options = [&](const config::Global& now) {
                           config::Global as_it_runs = now;
                           as_it_runs.foreground = global.foreground;
                           log::Options its = log_options(as_it_runs, voice);
                           its.owner = options.owner;
                           return its;
                         }});
  supervisor.start();
  // Who uses standard input has the failure itself said, and no file to mend for a log.
  if (stdio == nullptr || !global.log_file.empty()) {
    introduce(options, loader.config().path, voice, readiness.is_awaited());
  }
  readiness.ready();
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
  if (is_on_stdio(config)) {
    auto taken = StdioClient::take();
    if (!taken) {
      say(taken.error().text);
      return kRunTimeError;
    }
    stdio = std::move(*taken);
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
  const int status = serve(loader, *passed, stdio.get(), readiness);
  // Does nothing once ready() was said.
  if (status != 0) readiness.failed("", status);
  return status;
}

}  // namespace tunnel::runtime
