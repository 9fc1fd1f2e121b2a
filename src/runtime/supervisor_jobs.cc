// SPDX-License-Identifier: MIT
// The Supervisor's part that changes what is in force: a reload, changed credentials, a successor.
// One at a time, because each builds on what the one before has left.
#include <algorithm>
#include <string>
#include <utility>

#include "base/text.h"
#include "config/changes.h"
#include "runtime/snapshot_changes.h"
#include "runtime/supervisor.h"

namespace tunnel::runtime {
namespace {

constexpr std::size_t kLongestLine = 4096;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::vector<std::string> errors_of(const Build& build) {
  std::vector<std::string> lines = lines_of(build.diagnostics);
  for (const std::string& problem : build.problems) lines.push_back("error: " + problem);
  return lines;
}

bool has_other_log(const config::Global& a, const config::Global& b) {
  return a.log_level != b.log_level || a.log_file != b.log_file || a.log_format != b.log_format;
}

}  // namespace

Reloaded Supervisor::not_reloaded() {
  return {false, {"the process is stopping, so nothing was reloaded"}};
}

void Supervisor::reload(OnReloaded on_reloaded) {
  if (is_stopping_) return on_reloaded(not_reloaded());
  reload_requests_.add(std::move(on_reloaded));
  return begin_next_job();
}

// With standard input there is nothing to reload, and the process that started us sends SIGHUP when
// it goes: ssh to its ProxyCommand, a terminal to its programs.
void Supervisor::on_reload_signal() {
  if (stdio_) return on_stop_signal("SIGHUP");
  if (is_stopping_) {
    return log_.write(log::Level::warning, log::Event::reload_failed, {},
                      not_reloaded().lines.front(), {});
  }
  return reload([](const Reloaded&) {});
}

// A reload that is under way may yet bind listeners, so the successor waits for its end.
void Supervisor::on_upgrade_signal() {
  std::string obstacle;
  if (stdio_) {
    obstacle = "the one connection of this process is its standard input";
  } else if (is_stopping_) {
    obstacle = "the process is stopping";
  }
  succession_.want(obstacle);
  return begin_next_job();
}

// Called whenever something is wanted and whenever a job is over: what is wanted meanwhile waits in
// Succession, ReloadRequests or CredentialWatch, and is found here. An operator's wishes go before
// changed files.
void Supervisor::begin_next_job() {
  if (reloader_.is_busy() || is_stopping_ || succession_.is_under_way()) return;
  if (succession_.is_wanted()) return succession_.begin();
  if (reload_requests_.is_waiting()) {
    reload_requests_.begin();
    // report() follows with READY=1 however it goes: a manager that has read RELOADING=1 would
    // count the unit as reloading for good.
    (void)notifier_.reloading();
    return reloader_.load_configuration(
        {snapshot_, acceptor_->places(), administration_->drained(), status_->sockets()});
  }
  if (const auto service = credentials_.take_settled()) {
    return reloader_.load_credentials({snapshot_, {}, {}, {}}, *service);
  }
}

void Supervisor::on_job_done(Reloader::Done done) {
  reloader_.finish();
  switch (done.task) {
    case Reloader::Task::configuration:
      on_configuration_loaded(std::move(done.build));
      break;
    case Reloader::Task::look:
      credentials_.on_looked(std::move(done.found));
      break;
    case Reloader::Task::credentials:
      on_credentials_loaded(done.service, std::move(done.build));
      break;
  }
  return begin_next_job();
}

void Supervisor::on_configuration_loaded(Build build) {
  if (is_stopping_) return report(not_reloaded());
  if (!build.snapshot) return report({false, errors_of(build)});
  if (auto used = use_log(build.snapshot->global); !used) {
    return report({false, {"error: " + used.error().text}});
  }
  const std::shared_ptr<const Snapshot> before = snapshot_;
  const std::vector<std::string> fixed = std::move(build.for_restart);
  commit(std::move(build));
  // Once more, after the Acceptor has had its listeners kept: sockets of `status` may have come or
  // gone, too.
  store_.keep(own_sockets());
  Reloaded result{true, describe_changes(*before, *snapshot_)};
  for (std::string& line : administration_->on_reloaded()) result.lines.push_back(std::move(line));
  if (!fixed.empty()) {
    result.lines.push_back("warning: changed, but in force only after a restart: " +
                           enumerated(fixed, ", "));
  }
  return report(result);
}

// The last step that can fail.
Result<void> Supervisor::use_log(const config::Global& global) {
  if (!has_other_log(snapshot_->global, global)) return {};
  auto prepared = log_.prepare(log_options_(global));
  if (!prepared) return tl::unexpected(prepared.error());
  log_.use(std::move(*prepared));
  return {};
}

void Supervisor::report(const Reloaded& result) {
  std::string text;
  for (const std::string& line : result.lines) text += (text.empty() ? "" : "; ") + line;
  if (result.is_done) {
    log_.write(log::Level::info, log::Event::reloaded, {}, "reloaded: " + text, {});
  } else {
    log_.write(log::Level::error, log::Event::reload_failed, {},
               "reload failed, nothing has changed: " + text, {});
  }
  administration_->note_reload(result.is_done, result.lines);
  if (!is_stopping_) {
    // Not after STOPPING=1, which is a manager's last word of a service.
    (void)notifier_.ready(result.is_done ? "reloaded, " + text
                                         : "reload failed: " + printable(text, kLongestLine));
  }
  reload_requests_.answer_current(result);
}

bool Supervisor::look_at_files() {
  if (reloader_.is_busy() || succession_.is_under_way()) return false;
  reloader_.look(snapshot_);
  return true;
}

void Supervisor::on_credentials_loaded(ServiceId id, Build build) {
  // A reload may have removed the service since its files were found settled.
  if (is_stopping_ || !credentials_.has(id)) return;
  const ServiceHandle* const old = find(*snapshot_, id);
  if (old == nullptr) return;
  if (!build.snapshot) return credentials_.refused(*old, build.problems);
  // Before the commit, with which `old` goes.
  credentials_.taken(*old, *find(*build.snapshot, id));
  return commit(std::move(build));
}

// The other process accepts as soon as this has returned.
void Supervisor::on_succeeded(pid_t pid) {
  // First: from a process that is not the main one the manager may hear nothing
  // (NotifyAccess=main).
  (void)notifier_.main_process(pid);
  administration_->take_no_more_clients();
  // Its sockets are the other process's, too, and a client must not be answered by one that drains.
  status_->stop();
  is_succeeded_ = true;
  return drain("SIGUSR2: process " + std::to_string(pid) + " has taken over", Successor::serves);
}

void Supervisor::on_no_upgrade(const std::string& why) {
  if (is_stopping_) return;
  (void)notifier_.status(serving() + "; no upgrade: " + printable(why, 512));
}

}  // namespace tunnel::runtime
