// SPDX-License-Identifier: MIT
// The Supervisor's part that changes the configuration while it is in force.
#include <algorithm>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "config/changes.h"
#include "runtime/supervisor.h"

namespace tunnel::runtime {
namespace {

// Between two looks at files that are being written.
constexpr Millis kQuiet{1'000};
constexpr std::size_t kLongestLine = 4096;

config::Config config_of(const Snapshot& snapshot) {
  config::Config config;
  config.global = snapshot.global;
  for (const ServiceHandle& service : snapshot.services) {
    config.services.push_back(service.settings());
  }
  return config;
}

std::string kept(std::uint32_t connections) {
  return std::to_string(connections) + (connections == 1 ? " connection kept" : " connections kept");
}

using ByName = std::unordered_map<std::string_view, const ServiceHandle*>;

ByName by_name(const Snapshot& snapshot) {
  ByName services;
  for (const ServiceHandle& service : snapshot.services) {
    services.emplace(service.life->name, &service);
  }
  return services;
}

const ServiceHandle* find(const ByName& services, const std::string& name) {
  const auto found = services.find(name);
  return found == services.end() ? nullptr : found->second;
}

// One line a service: what has changed, what stays.
std::vector<std::string> answer(const Snapshot& before, const Snapshot& after) {
  using What = config::ServiceChange::What;
  std::vector<std::string> lines;
  const ByName old_services = by_name(before);
  const ByName new_services = by_name(after);
  for (const config::ServiceChange& change : config::changes(config_of(before), config_of(after))) {
    const ServiceHandle* old = find(old_services, change.name);
    const ServiceHandle* now = find(new_services, change.name);
    std::string line = printable(change.name) + ": ";
    const std::uint32_t connections = old != nullptr ? old->life->connections.load() : 0;
    switch (change.what) {
      case What::added:
        line += "added";
        break;
      case What::removed:
        line += "removed, " + kept(connections) + " as on_removed says";
        break;
      case What::changed:
        line += enumerated(change.phrases, ", ") + ", " + kept(connections);
        break;
      case What::unchanged:
        line += old->config == now->config ? "unchanged" : "credentials read again";
        line += ", " + kept(connections);
        break;
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

tls::Context::Shown shown(const ServiceHandle& service) {
  if (service.config->tls) return service.config->tls->client_certificate();
  return service.config->check_tls ? service.config->check_tls->client_certificate()
                                   : tls::Context::Shown{};
}

bool has_other_log(const config::Global& a, const config::Global& b) {
  return a.log_level != b.log_level || a.log_file != b.log_file || a.log_format != b.log_format;
}

}  // namespace

// One that comes while another is under way waits for the next, which reads the file after it was
// asked for; all that wait then get the same answer.
void Supervisor::reload(OnReloaded on_reloaded) {
  if (is_stopping_) {
    return on_reloaded({false, {kNotReloaded}});
  }
  waiting_reloads_.push_back(std::move(on_reloaded));
  return begin_next_job();
}

// With standard input there is nothing to reload, and whoever started us says by SIGHUP that it has
// gone: ssh to its ProxyCommand, a terminal to its programs.
void Supervisor::on_reload_signal() {
  if (stdio_ != nullptr) return on_stop_signal("SIGHUP");
  if (is_stopping_) {
    return log_.write(log::Level::warning, log::Event::reload_failed, {}, kNotReloaded, {});
  }
  return reload([](const Reloaded&) {});
}

void Supervisor::begin_next_job() {
  if (reloader_.is_busy() || is_stopping_ || upgrade_) return;
  if (is_upgrade_wanted_) return begin_upgrade();
  if (!waiting_reloads_.empty()) {
    current_reloads_ = std::exchange(waiting_reloads_, {});
    (void)notifier_.reloading();
    return reloader_.load_configuration(
        {snapshot_, acceptor_->places(), administration_->drained(), status_->sockets()});
  }
  if (!settled_.empty()) {
    const ServiceId service = settled_.front();
    settled_.pop_front();
    return reloader_.load_credentials({snapshot_, {}, {}, {}}, service);
  }
}

void Supervisor::on_job_done(Reloader::Done done) {
  reloader_.finish();
  switch (done.task) {
    case Reloader::Task::configuration:
      on_configuration_loaded(std::move(done.build));
      break;
    case Reloader::Task::look:
      on_looked(std::move(done.found));
      break;
    case Reloader::Task::credentials:
      on_credentials_loaded(done.service, std::move(done.build));
      break;
  }
  return begin_next_job();
}

void Supervisor::on_configuration_loaded(Build build) {
  Reloaded result;
  std::shared_ptr<const log::Destination> destination;
  if (is_stopping_) {
    result = {false, {kNotReloaded}};
  } else if (!build.snapshot) {
    result.lines = lines_of(build.diagnostics);
    for (const std::string& problem : build.problems) result.lines.push_back("error: " + problem);
  } else if (has_other_log(snapshot_->global, build.snapshot->global)) {
    auto prepared = log_.prepare(log_options_(build.snapshot->global));
    if (prepared) {
      destination = std::move(*prepared);
      result.is_done = true;
    } else {
      result.lines.push_back("error: " + prepared.error().text);
    }
  } else {
    result.is_done = true;
  }
  if (result.is_done) {
    const std::shared_ptr<const Snapshot> before = snapshot_;
    const std::vector<std::string> fixed = std::move(build.for_restart);
    if (destination) log_.use(std::move(destination));
    commit(std::move(build));
    keep_listeners();
    result.lines = answer(*before, *snapshot_);
    for (std::string& line : administration_->on_reloaded()) {
      result.lines.push_back(std::move(line));
    }
    if (!fixed.empty()) {
      result.lines.push_back("warning: changed, but in force only after a restart: " +
                             enumerated(fixed, ", "));
    }
  }
  return report(result);
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
    (void)notifier_.ready(result.is_done ? "reloaded, " + text
                                         : "reload failed: " + printable(text, kLongestLine));
  }
  for (const OnReloaded& on_reloaded : std::exchange(current_reloads_, {})) on_reloaded(result);
}

void Supervisor::start_polling() {
  poll_timer_.stop();
  file_watches_.clear();
  if (stdio_ != nullptr) return;
  for (const ServiceHandle& service : snapshot_->services) {
    const auto files = snapshot_->files.find(service.life->id);
    if (files != snapshot_->files.end() && !files->second.empty()) {
      file_watches_.emplace(service.life->id, FileWatch(files->second));
    }
  }
  const config::Timeout& period = snapshot_->global.certificate_poll;
  if (period && !file_watches_.empty()) poll_timer_.start(*period);
}

void Supervisor::poll_files() {
  if (is_stopping_) return;
  if (reloader_.is_busy() || upgrade_) return poll_timer_.start(kQuiet);
  return reloader_.look(snapshot_);
}

void Supervisor::on_looked(std::map<ServiceId, FileIdentities> found) {
  const config::Timeout& period = snapshot_->global.certificate_poll;
  if (is_stopping_ || !period) return;
  bool is_changing = false;
  for (auto& [id, files] : found) {
    const auto watch = file_watches_.find(id);
    if (watch == file_watches_.end()) continue;
    const FileWatch::Verdict verdict = watch->second.look(std::move(files));
    is_changing = is_changing || verdict == FileWatch::Verdict::changing;
    if (verdict == FileWatch::Verdict::settled) settled_.push_back(id);
  }
  return poll_timer_.start(is_changing ? std::min(*period, kQuiet) : *period);
}

void Supervisor::on_credentials_loaded(ServiceId id, Build build) {
  const auto watch = file_watches_.find(id);
  if (is_stopping_ || watch == file_watches_.end()) return;
  const auto old = std::find_if(snapshot_->services.begin(), snapshot_->services.end(),
                                [&](const ServiceHandle& one) { return one.life->id == id; });
  if (old == snapshot_->services.end()) return;
  const ServiceHandle before = *old;
  if (!build.snapshot) {
    before.life->files_refused.add();
    const std::string why = enumerated(build.problems, ", ");
    const log::RateLimit::Verdict verdict = credential_failures_.admit(why);
    if (!verdict.write) return;
    return log_.warning({before.life->name},
                        "changed credential files are not taken over, the old ones serve on: " + why,
                        {{"repeats", verdict.suppressed}});
  }
  before.life->files_taken.add();
  before.life->files_taken_at = static_cast<std::int64_t>(std::time(nullptr));
  const ServiceHandle* after = find(by_name(*build.snapshot), before.life->name);
  const tls::Context::Shown was = shown(before);
  const tls::Context::Shown now = shown(*after);
  std::string text = "changed credential files are in force";
  if (was.fingerprint != now.fingerprint) {
    text += ": the client certificate was " + was.fingerprint + " and is " + now.fingerprint +
            ", valid until " + now.not_after;
  }
  log_.write(log::Level::info, log::Event::certificates_reloaded, {before.life->name}, text,
             {{"old", std::string_view(was.fingerprint)},
              {"new", std::string_view(now.fingerprint)},
              {"not_after", std::string_view(now.not_after)}});
  return commit(std::move(build));
}

}  // namespace tunnel::runtime
