// SPDX-License-Identifier: MIT
// What Administration tells about the process.
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "config/print.h"
#include "log/level.h"
#include "runtime/administration.h"
#include "tls/library.h"
#include "uv/library.h"

namespace tunnel::runtime {
namespace {

const char* word(config::Balance balance) {
  switch (balance) {
    case config::Balance::round_robin:
      return "round-robin";
    case config::Balance::least_connections:
      return "least-connections";
    case config::Balance::random:
      return "random";
    case config::Balance::hash:
      return "hash";
    case config::Balance::first:
      return "first";
  }
  return "";
}

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
          .idle = view.idle ? std::optional<admin::Seconds>(*view.idle) : std::nullopt,
          .bytes_up = view.bytes_up,
          .bytes_down = view.bytes_down,
          .tls = view.tls};
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
      for (std::string& header : proxy.headers) header = header.substr(0, header.find(':')) + ": MASKED";
    }
    config.services.push_back(std::move(service));
  }
  return config;
}

std::vector<admin::KindCount> counts_of(const KindCounters& counters) {
  std::vector<admin::KindCount> counts;
  for (std::size_t kind = 0; kind < counters.size(); ++kind) {
    const std::uint64_t count = counters[kind].value();
    const auto as_kind = static_cast<Kind>(kind);
    if (count > 0 || as_kind == Kind::ok) counts.push_back({tunnel::word(as_kind), count});
  }
  return counts;
}

std::vector<admin::HandshakeCount> counts_of(const HandshakeTally& tally) {
  std::vector<admin::HandshakeCount> counts;
  for (std::size_t version = 0; version < HandshakeTally::kVersions.size(); ++version) {
    for (std::size_t group = 0; group < HandshakeTally::kGroups.size(); ++group) {
      for (const bool is_resumed : {false, true}) {
        const std::uint64_t count = tally.count(version, group, is_resumed);
        if (count == 0) continue;
        counts.push_back({HandshakeTally::kVersions[version], HandshakeTally::kGroups[group],
                          is_resumed, count});
      }
    }
  }
  return counts;
}

std::int64_t client_not_after(const ServiceHandle& service) {
  if (!service.config->tls) return 0;
  const std::string text = service.config->tls->client_certificate().not_after;
  std::tm parts{};
  if (text.empty() || ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts) == nullptr) return 0;
  return ::timegm(&parts);
}

admin::ServiceCounts counts_of(const ServiceHandle& service) {
  const ServiceTally& tally = service.life->tally;
  const auto stage = [&](Stage which) { return tally.stages[static_cast<std::size_t>(which)].value(); };
  return {.denied = tally.closed[static_cast<std::size_t>(Kind::client_denied)].value(),
          .closed = counts_of(tally.closed),
          .open = stage(Stage::open),
          .half_closed = stage(Stage::half_closed),
          .draining = stage(Stage::draining),
          .resolve = tally.resolve.read(),
          .connect = tally.connect.read(),
          .preamble = tally.preamble.read(),
          .tls = tally.tls.read(),
          .dial = tally.dial.read(),
          .tries = tally.tries.read(),
          .duration = tally.duration.read(),
          .handshakes = counts_of(tally.handshakes),
          .client_not_after = client_not_after(service)};
}

admin::TargetCounts counts_of(const balance::Target& target) {
  const balance::TargetTally& tally = target.tally();
  return {.target = target.id(),
          .open = tally.open.value(),
          .connections = tally.connections.value(),
          .bytes_up = tally.traffic.up(),
          .bytes_down = tally.traffic.down(),
          .ejections = target.health().epoch(),
          .checks_passed = tally.checks_passed.value(),
          .checks_failed = tally.checks_failed.value(),
          .failures = counts_of(tally.failures),
          .not_after = tally.not_after.load(std::memory_order_relaxed)};
}

}  // namespace

void Administration::status(Connections how, std::function<void(admin::Status)> on_status) {
  if (how == Connections::unasked) return on_status(collect(Inquiries::Answers{}, how));
  return ask_workers({.what = ConnectionsOrder::What::list},
                     [this, how, on_status = std::move(on_status)](const Inquiries::Answers& answers) {
                       return on_status(collect(answers, how));
                     });
}

void Administration::config(std::function<void(ConfigInForce)> on_config) {
  const Snapshot& snapshot = process_.snapshot();
  return on_config({process_.config, snapshot.hash, config::print(masked(snapshot))});
}

admin::Status Administration::collect(const Inquiries::Answers& answers,
                                      Connections how) const {
  const Snapshot& snapshot = process_.snapshot();
  admin::Status status;
  status.version = TUNNEL_VERSION;
  status.pid = ::getpid();
  status.started = started_;
  status.config = process_.config;
  status.config_hash = snapshot.hash;
  status.gnutls = tls::library_version();
  status.libuv = uv::library_version();
  status.log_dropped_lines = process_.log.dropped_lines();
  status.reloads = reloads_;
  status.failed_reloads = failed_reloads_;
  status.loaded = loaded_;
  status.state = process_.is_stopping() ? "draining" : "running";
  status.log_level = log::word(process_.log.level());
  const TimePoint now = process_.loop.now();
  for (const OrderedLevels::Entry& level : levels_.entries()) {
    admin::LevelStatus shown;
    shown.level = log::word(level.order.level);
    shown.service = level.order.service;
    shown.client = level.order.client ? level.order.client->to_string() : "";
    shown.uid = level.by.uid;
    shown.pid = level.by.pid;
    if (level.until) shown.left = *level.until - now;
    status.level_overrides.push_back(std::move(shown));
  }
  status.captures = process_.captures().status();
  status.workers = static_cast<unsigned>(process_.workers);
  for (const std::size_t worker : answers.silent) {
    status.silent_workers.push_back(static_cast<unsigned>(worker));
  }
  for (const ServiceHandle& service : snapshot.services) {
    status.services.push_back(collect(service));
    status.connections += status.services.back().connections;
  }
  status.last_reload = last_reload_;
  status.problems = process_.log.problems();
  for (const Warning& warning : snapshot.warnings) {
    status.warnings.push_back(warning.service.empty() ? warning.text
                                                      : warning.service + ": " + warning.text);
  }
  if (how == Connections::listed) {
    status.connection_list.emplace();
    for (const ConnectionView& view : answers.connections) {
      status.connection_list->push_back(to_status(view));
    }
  }
  return status;
}

admin::ServiceStatus Administration::collect(const ServiceHandle& service) const {
  const config::Service& settings = service.settings();
  const ServiceLife& life = *service.life;
  admin::ServiceStatus status;
  status.name = settings.name;
  status.accept = process_.acceptor().addresses_of(life.id);
  status.balance = word(settings.balance);
  status.is_draining = drains_.contains(life.id);
  status.connections = life.connections.load();
  status.max_connections = settings.max_connections;
  status.preconnected = life.preconnected.load();
  status.ended = life.ended.load();
  status.failed = life.failed.load();
  status.accepted = status.ended + status.connections;
  status.bytes_up = life.traffic.up();
  status.bytes_down = life.traffic.down();
  status.counts = counts_of(service);
  status.no_targets = process_.resolution().error_of(life.id);
  const auto layout = process_.resolution().layout_of(life.id);
  if (!layout) return status;
  for (std::size_t group = 0; group < layout->groups().size(); ++group) {
    for (const balance::Member& member : layout->groups()[group].members) {
      status.targets.push_back(collect(service, member, group + 1));
    }
  }
  return status;
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
  status.counts.is_unresolved = target.endpoint().form == config::Target::Form::name &&
                                !target.endpoint().address &&
                                process_.book.find(target.endpoint().host) == nullptr;
  status.max_connections = member.max_connections;
  status.check = target.health().check_text();
  if (const auto outage = target.health().outage()) {
    status.since = now - outage->since;
    status.kind = tunnel::word(outage->reason.kind);
    status.why = outage->reason.text;
  }
  const TimePoint until = target.health().ejected_until();
  if (status.state == "ejected" && until > now && until != TimePoint::max()) {
    status.ejected_for = until - now;
  }
  if (const AddressBook::Answer* answer = process_.book.find(target.endpoint().host)) {
    for (const SocketAddress& address : answer->addresses) {
      status.addresses.push_back({address.ip()});
    }
    if (const auto answered = process_.resolution().answered_at(target.endpoint().host)) {
      status.addresses_age = now - *answered;
    }
  }
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

}  // namespace tunnel::runtime
