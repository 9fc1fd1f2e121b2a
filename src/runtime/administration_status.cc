// SPDX-License-Identifier: MIT
// What Administration tells about the process.
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "balance/policy_words.h"
#include "config/print.h"
#include "log/level.h"
#include "runtime/administration.h"
#include "runtime/status_counts.h"
#include "tls/library.h"
#include "uv/library.h"

namespace tunnel::runtime {
namespace {

std::string state_of(const balance::Member& member, TimePoint now) {
  if (member.weight == 0) return "drained";
  if (member.is_out) return "ejected";
  const balance::Health& health = member.target->health();
  if (health.is_up()) return "up";
  switch (health.state(now)) {
    case balance::Health::State::trial:
      return "trial";
    case balance::Health::State::up:
      return "up";
    case balance::Health::State::ejected:
      break;
  }
  return health.ejected_until() == TimePoint::max() ? "down" : "ejected";
}

admin::ConnectionStatus to_status(const ConnectionView& view) {
  return {.service = view.service,
          .id = view.id,
          .client = view.client,
          .target = view.target,
          .phase = view.phase,
          .age = view.age,
          .uid = view.uid,
          .idle = view.idle ? std::optional<admin::Seconds>(*view.idle) : std::nullopt,
          .bytes_up = view.bytes_up,
          .bytes_down = view.bytes_down,
          .tls = view.tls};
}

admin::ClosedStatus to_status(const ClosedView& view, TimePoint now) {
  return {.service = view.service,
          .id = view.id,
          .client = view.client,
          .target = view.target,
          .kind = tunnel::word(view.outcome.kind),
          .side = tunnel::word(view.outcome.side),
          .has_failed = view.outcome.has_failed(),
          .why = view.outcome.text,
          .ago = std::max(Millis(0), now - view.at),  // a worker's loop may be ahead
          .lasted = view.total,
          .bytes_up = view.bytes_up,
          .bytes_down = view.bytes_down,
          .tls = negotiated_text(view.negotiated)};
}

// The last ones of all loops.
std::vector<admin::ClosedStatus> last_of(std::vector<ClosedView> views, TimePoint now) {
  std::stable_sort(views.begin(), views.end(), [](const ClosedView& a, const ClosedView& b) {
    return std::pair(a.at, a.id) < std::pair(b.at, b.id);
  });
  std::vector<admin::ClosedStatus> last;
  const std::size_t left_out = views.size() - std::min(views.size(), ClosedConnections::kMost);
  for (std::size_t i = left_out; i < views.size(); ++i) last.push_back(to_status(views[i], now));
  return last;
}

// What the file holds and must not be shown.
config::Config masked(const Snapshot& snapshot) {
  config::Config config;
  config.global = snapshot.global;
  for (const ServiceHandle& handle : snapshot.services) {
    config::Service service = handle.settings();
    if (service.smtp_login) service.smtp_login->password = "MASKED";
    for (config::Proxy& proxy : service.proxies) {
      if (!proxy.password.empty()) proxy.password = "MASKED";
      for (std::string& header : proxy.headers) {
        header = header.substr(0, header.find(':')) + ": MASKED";
      }
    }
    config.services.push_back(std::move(service));
  }
  return config;
}

}  // namespace

void Administration::status(Connections how, std::function<void(admin::Status)> on_status) {
  if (how == Connections::unasked) return on_status(collect(Inquiries::Answers{}, how));
  return ask_workers(
      {.what = ConnectionsOrder::What::list},
      [this, how, on_status = std::move(on_status)](const Inquiries::Answers& answers) {
        return on_status(collect(answers, how));
      });
}

void Administration::config(std::function<void(ConfigInForce)> on_config) {
  const Snapshot& snapshot = process_.snapshot();
  return on_config({process_.config, snapshot.hash, config::print(masked(snapshot))});
}

admin::Status Administration::collect(const Inquiries::Answers& answers, Connections how) const {
  admin::Status status;
  add_process(status);
  add_counts(status);
  for (const std::size_t worker : answers.silent) {
    status.silent_workers.push_back(static_cast<unsigned>(worker));
  }
  auto listens = process_.acceptor().listens();
  for (const ServiceHandle& service : process_.snapshot().services) {
    status.services.push_back(collect(service, std::move(listens[service.life->id])));
    status.connections += status.services.back().connections;
  }
  if (how == Connections::listed) {
    status.connection_list.emplace();
    for (const ConnectionView& view : answers.connections) {
      status.connection_list->push_back(to_status(view));
    }
  }
  if (how != Connections::unasked) {
    std::vector<ClosedView> closed = answers.closed;
    process_.acceptor().closed().append_to(closed);
    status.closed = last_of(std::move(closed), process_.loop.now());
  }
  return status;
}

// What it is and which configuration is in force.
void Administration::add_process(admin::Status& status) const {
  const Snapshot& snapshot = process_.snapshot();
  status.version = TUNNEL_VERSION;
  status.pid = ::getpid();
  status.now = std::chrono::system_clock::now();
  status.started = started_;
  status.config = process_.config;
  status.config_hash = snapshot.hash;
  status.gnutls = tls::library_version();
  status.libuv = uv::library_version();
  status.state = process_.is_stopping() ? "draining" : "running";
  status.sandbox = process_.sandbox;
  status.workers = static_cast<unsigned>(process_.workers);
  status.log_level = log::word(process_.log.level());
  status.level_overrides = level_overrides();
  status.loaded = loaded_;
  status.last_reload = last_reload_;
  for (const Warning& warning : snapshot.warnings) {
    status.warnings.push_back(warning.service.empty() ? warning.text
                                                      : warning.service + ": " + warning.text);
  }
}

// What has happened since it started.
void Administration::add_counts(admin::Status& status) const {
  status.reloads = reloads_;
  status.failed_reloads = failed_reloads_;
  status.log_dropped_lines = process_.log.dropped_lines();
  status.problems = process_.log.problems();
  status.captures = process_.captures().status();
  const auto captured = process_.captures().totals();
  status.captured_packets = captured.packets;
  status.capture_dropped_packets = captured.dropped;
  status.dns_answers = counts_of(process_.resolution().names().answers());
  status.stale_names = process_.resolution().names().stale();
}

std::vector<admin::LevelStatus> Administration::level_overrides() const {
  std::vector<admin::LevelStatus> overrides;
  for (const OrderedLevels::Entry& level : levels_.entries()) {
    admin::LevelStatus shown;
    shown.level = log::word(level.order.level);
    shown.service = level.order.service;
    shown.client = level.order.client ? level.order.client->to_string() : "";
    shown.uid = level.by.uid;
    shown.pid = level.by.pid;
    if (level.until) shown.left = *level.until - process_.loop.now();
    overrides.push_back(std::move(shown));
  }
  return overrides;
}

admin::ServiceStatus Administration::collect(const ServiceHandle& service,
                                             Acceptor::Listens listens) const {
  const config::Service& settings = service.settings();
  const ServiceLife& life = *service.life;
  admin::ServiceStatus status;
  status.name = settings.name;
  status.accept = std::move(listens.addresses);
  status.balance = balance::word(settings.balance);
  status.balance_meaning = balance::meaning(settings.balance);
  status.is_draining = drains_.contains(life.id);
  status.connections = life.connections.load();
  status.max_connections = settings.max_connections;
  status.preconnect = settings.preconnect;
  status.preconnected = life.preconnected.load();
  status.ended = life.ended.load();
  status.failed = life.failed.load();
  status.accepted = status.ended + status.connections;
  status.bytes_up = life.traffic.up();
  status.bytes_down = life.traffic.down();
  status.counts = counts_of(service);
  status.counts.is_waiting = listens.keeps_waiting;
  const auto files = process_.snapshot().files.find(life.id);
  if (files != process_.snapshot().files.end() && !files->second.empty()) {
    status.counts.file_reloads = {.taken = life.files_taken.value(),
                                  .refused = life.files_refused.value(),
                                  .taken_at = life.files_taken_at.load()};
  }
  status.no_targets = process_.resolution().error_of(life.id);
  // Without a layout nothing was ever arranged, and so nothing can have departed.
  if (const auto layout = process_.resolution().layout_of(life.id)) {
    for (std::size_t group = 0; group < layout->groups().size(); ++group) {
      for (const balance::Member& member : layout->groups()[group].members) {
        status.targets.push_back(collect(service, member, group + 1));
      }
    }
    add_departed(life, status);
  }
  return status;
}

// What they counted after someone looked last must not be lost: a counter that a sum of several
// targets belongs to would fall.
void Administration::add_departed(const ServiceLife& life, admin::ServiceStatus& status) const {
  for (const auto& target : life.backend.departed(process_.loop.now())) {
    admin::TargetStatus departed;
    departed.counts = counts_of(*target);
    departed.state = "drained";
    departed.target = target->text();
    departed.weight = 0;
    status.departed.push_back(std::move(departed));
  }
  for (const auto& [text, past] : life.backend.past()) status.past[text] = counts_of(past);
}

admin::TargetStatus Administration::collect(const ServiceHandle& service,
                                            const balance::Member& member,
                                            std::size_t group) const {
  const TimePoint now = process_.loop.now();
  const balance::Target& target = *member.target;
  admin::TargetStatus status;
  status.state = state_of(member, now);
  status.target = target.text();
  status.name = target.endpoint().name;
  status.group = group;
  status.weight = member.weight;
  status.connections = target.in_flight();
  status.counts = counts_of(target);
  status.identity = target.tally().identity.get();
  if (status.identity) {
    status.counts.not_after = status.identity->not_after;
    status.counts.chain_not_after = status.identity->path_until;
    status.counts.ocsp_until = status.identity->ocsp_until;
  }
  status.max_connections = member.max_connections;
  status.check = target.health().check_text();
  if (const auto last = target.tally().last_check.get()) {
    status.last_check = {.ago = std::max(Millis(0), now - last->at),
                         .took = last->took,
                         .kind = tunnel::word(last->failure.kind),
                         .why = last->failure.text};
  }
  add_outage(target.health(), status);
  add_answer(target.endpoint(), status);
  const auto overrides = overrides_.find(service.life->id);
  if (overrides != overrides_.end()) {
    if (const balance::Override* override = overrides->second.find(target.endpoint())) {
      status.override = admin::OverrideStatus{override->what, override->weight, override->uid,
                                              override->pid, std::nullopt};
      if (override->until) status.override->left = *override->until - now;
    }
  }
  return status;
}

// Since when it is as it is, why, and for how long.
void Administration::add_outage(const balance::Health& health, admin::TargetStatus& status) const {
  const TimePoint now = process_.loop.now();
  if (const auto outage = health.outage()) {
    status.since = now - outage->since;
    status.kind = tunnel::word(outage->reason.kind);
    status.why = outage->reason.text;
  } else if (const auto restored = health.restored_at()) {
    status.since = now - *restored;
  }
  const TimePoint until = health.ejected_until();
  if (status.state == "ejected" && until > now && until != TimePoint::max()) {
    status.ejected_for = until - now;
  }
}

// What DNS says of its host.
void Administration::add_answer(const balance::Endpoint& endpoint,
                                admin::TargetStatus& status) const {
  const AddressBook::Answer* answer = process_.book.find(endpoint.host);
  status.counts.is_unresolved =
      endpoint.form == config::Target::Form::name && !endpoint.address && answer == nullptr;
  if (answer == nullptr) return;
  for (const SocketAddress& address : answer->addresses) {
    status.addresses.push_back({address.ip()});
  }
  if (const auto answered = process_.resolution().answered_at(endpoint.host)) {
    status.addresses_age = process_.loop.now() - *answered;
  }
}

}  // namespace tunnel::runtime
