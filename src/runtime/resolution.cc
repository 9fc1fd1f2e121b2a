// SPDX-License-Identifier: MIT
#include "runtime/resolution.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "dns/alarm.h"
#include "dns/cares_resolver.h"

namespace tunnel::runtime {
namespace {

using TargetForm = config::Target::Form;

dns::Names::Options names_options(const config::Global& global) {
  dns::Names::Options options;
  options.limits.min_ttl = global.dns_min_ttl;
  options.limits.max_stale = global.dns_max_stale;
  return options;
}

// Calls `visit` with every entry of `connect`.
template <class Visit>
void for_each_target(const config::Service& service, Visit visit) {
  for (const auto& group : service.connect) {
    for (const config::Target& target : group) visit(target);
  }
}

}  // namespace

std::unique_ptr<dns::Resolver> Resolution::cares_resolver(uv::Loop& loop,
                                                          const config::Global& global) {
  dns::CaresResolver::Options options;
  options.servers = global.dns_servers;
  return std::make_unique<dns::CaresResolver>(loop, std::move(options));
}

Resolution::Resolution(std::shared_ptr<const Snapshot> snapshot, Settings settings)
    : settings_(std::move(settings)),
      snapshot_(std::move(snapshot)),
      names_(settings_.make_resolver(settings_.loop, snapshot_->global),
             std::make_unique<dns::LoopAlarm>(settings_.loop), settings_.loop, settings_.log,
             names_options(snapshot_->global)),
      forget_timer_(settings_.loop, [this] { forget_unwanted(); }) {}

Resolution::~Resolution() = default;

// Three steps, each of which leads to the next. watch_all() watches the SRV records that `connect`
// names; arrange_all() makes targets of `connect` and of the newest answers, and tells only what
// has changed; watch_names() watches the names of those targets. A reload begins at the first, an
// answer that changes targets at the second.
void Resolution::start() {
  settings_.loop.assert_here();
  return watch_all();
}

void Resolution::use(std::shared_ptr<const Snapshot> snapshot) {
  settings_.loop.assert_here();
  const std::shared_ptr<const Snapshot> before = std::exchange(snapshot_, std::move(snapshot));
  const config::Global& was = before->global;
  const config::Global& now = snapshot_->global;
  if (was.dns_servers != now.dns_servers) {
    names_.use_resolver(settings_.make_resolver(settings_.loop, now));
  }
  names_.use_limits(names_options(now).limits);
  std::unordered_set<const ServiceConfig*> old;
  for (const ServiceHandle& service : before->services) old.insert(service.config.get());
  std::map<ServiceId, Current> kept;
  for (const ServiceHandle& service : snapshot_->services) {
    const auto known = current_.find(service.life->id);
    if (known == current_.end()) continue;
    Current& current = kept[service.life->id] = std::move(known->second);
    // Its workers have a new Service, which has no targets yet: they are told although nothing has
    // changed.
    if (!old.contains(service.config.get())) current.is_told = false;
  }
  current_ = std::move(kept);
  expanded_.clear();
  return watch_all();
}

// Watches what `connect` names, lets go what it does not name any more, and arranges.
void Resolution::watch_all() {
  std::map<std::string, std::string> errors;
  for (const ServiceHandle& service : snapshot_->services) {
    for_each_target(service.settings(), [&](const config::Target& target) {
      if (target.form == TargetForm::name && target.expand) expanded_.insert(target.host);
      if (target.form != TargetForm::srv) return;
      const auto known = srv_errors_.find(target.host);
      // What DNS has said of it before stays: the watch goes on, and says nothing new by itself.
      errors.emplace(target.host, known == srv_errors_.end() ? "" : known->second);
    });
  }
  srv_errors_ = std::move(errors);
  std::erase_if(watched_srv_, [this](const auto& watched) {
    if (srv_errors_.contains(watched.first)) return false;
    names_.unwatch(watched.second);
    answers_.srv.erase(watched.first);
    return true;
  });
  for (const auto& [owner, error] : srv_errors_) {
    const std::string name = owner;
    if (watched_srv_.contains(name)) continue;
    watched_srv_[name] =
        names_.watch(name, dns::Kind::services,
                     [this, name](const dns::Update& update) { on_services(name, update); });
  }
  return arrange_all();
}

// The targets that follow from `connect` and the newest answers; tells what has changed.
void Resolution::arrange_all() {
  for (const ServiceHandle& service : snapshot_->services) {
    const config::Service& settings = service.settings();
    Current& current = current_[service.life->id];
    balance::Arrangement arrangement = balance::arrange(settings.connect, answers_);
    std::string error = srv_error(settings);
    if (current.is_told && arrangement == current.arrangement && error == current.error) continue;
    current = {std::move(arrangement), std::move(error), true};
    current.layout = service.life->backend.build(
        settings_.adjust(service.life->id, current.arrangement), settings.balance,
        balance::rules_of(settings.health), settings_.loop.now());
    settings_.sink.on_targets(service, current.layout, current.error);
  }
  return watch_names();
}

std::string Resolution::srv_error(const config::Service& service) const {
  std::string error;
  for_each_target(service, [&](const config::Target& target) {
    if (target.form == TargetForm::srv && error.empty()) error = srv_errors_.at(target.host);
  });
  return error;
}

// Watches the names that some target (or proxy) has now, and no others.
void Resolution::watch_names() {
  std::set<std::string> wanted = expanded_;
  std::set<std::string> from_srv;
  for (const ServiceHandle& service : snapshot_->services) {
    // A proxy resolves the targets' names itself; ours may not even know them.
    for (const config::Proxy& proxy : service.settings().proxies) {
      if (!SocketAddress::parse_ip(proxy.host, 0)) wanted.insert(proxy.host);
    }
    if (!service.settings().proxies.empty()) continue;
    for_each_target(service.settings(), [&](const config::Target& target) {
      if (target.form == TargetForm::name) wanted.insert(target.host);
    });
  }
  for (const ServiceHandle& service : snapshot_->services) {
    if (!service.settings().proxies.empty()) continue;
    for (const auto& group : current_[service.life->id].arrangement) {
      for (const balance::Place& place : group) {
        const balance::Endpoint& endpoint = place.endpoint;
        if (endpoint.form != TargetForm::name || endpoint.address) continue;
        if (wanted.insert(endpoint.host).second) from_srv.insert(endpoint.host);
      }
    }
  }
  for (const auto& [name, id] : watched_) {
    if (wanted.contains(name)) {
      unwanted_.erase(name);
    } else {
      // Not put off by each further reload: the first time counts.
      unwanted_.try_emplace(name, settings_.loop.now() + settings_.linger);
    }
  }
  set_forget_timer();
  for (const std::string& name : wanted) {
    if (watched_.contains(name)) continue;
    // What SRV records name is absolute: resolv.conf's search list has no say in it.
    const std::string asked = from_srv.contains(name) ? name + "." : name;
    watched_[name] =
        names_.watch(asked, dns::Kind::addresses,
                     [this, name](const dns::Update& update) { on_addresses(name, update); });
  }
}

void Resolution::forget_unwanted() {
  const TimePoint now = settings_.loop.now();
  std::erase_if(unwanted_, [&](const auto& each) {
    if (each.second > now) return false;
    const auto watched = watched_.find(each.first);
    names_.unwatch(watched->second);
    watched_.erase(watched);
    settings_.sink.on_forgotten(each.first);
    return true;
  });
  return set_forget_timer();
}

void Resolution::set_forget_timer() {
  std::optional<TimePoint> next;
  for (const auto& [name, until] : unwanted_) next = std::min(next.value_or(until), until);
  if (!next) return forget_timer_.stop();
  return forget_timer_.start(std::max(Millis(1), *next - settings_.loop.now()));
}

void Resolution::on_addresses(const std::string& name, const dns::Update& update) {
  settings_.sink.on_answer(name, {update.addresses, update.error});
  // While DNS fails, an expanded name keeps the targets that it had.
  if (!expanded_.contains(name) || update.addresses.empty()) return;
  answers_.addresses[name] = update.addresses;
  return arrange_all();
}

void Resolution::on_services(const std::string& owner, const dns::Update& update) {
  srv_errors_[owner] = update.services.empty()
                           ? (update.error.empty() ? "it has no SRV records" : update.error)
                           : "";
  std::vector<balance::SrvRecord> records;
  for (const dns::Service& service : update.services) {
    records.push_back({service.priority, service.weight, service.port, service.target});
  }
  answers_.srv[owner] = std::move(records);
  return arrange_all();
}

void Resolution::rebuild(ServiceId service) {
  settings_.loop.assert_here();
  const auto known = current_.find(service);
  if (known == current_.end()) return;
  // The arrangement is compared without adjustments, and would look the same.
  known->second.is_told = false;
  return arrange_all();
}

std::vector<std::string> Resolution::refresh_service(const ServiceHandle& service) {
  std::vector<std::string> asked;
  for_each_target(service.settings(), [&](const config::Target& target) {
    if (target.form == TargetForm::srv) {
      names_.refresh(target.host);
    } else if (target.form == TargetForm::name) {
      refresh(target.host);
    } else {
      return;
    }
    asked.push_back(target.host);
  });
  return asked;
}

std::shared_ptr<const balance::Layout> Resolution::layout_of(ServiceId service) const {
  const auto known = current_.find(service);
  return known == current_.end() ? nullptr : known->second.layout;
}

const balance::Arrangement& Resolution::arrangement_of(ServiceId service) const {
  static const balance::Arrangement kNone;
  const auto known = current_.find(service);
  return known == current_.end() ? kNone : known->second.arrangement;
}

std::string Resolution::error_of(ServiceId service) const {
  const auto known = current_.find(service);
  return known == current_.end() ? "" : known->second.error;
}

void Resolution::refresh(const std::string& name) {
  settings_.loop.assert_here();
  if (!watched_.contains(name)) return;
  const dns::Update* known = addresses_of(name);
  if (known == nullptr) return;  // the first answer is on its way
  // Nobody waits twice for an answer that is known: that the name does not resolve is one.
  if (known->addresses.empty()) settings_.sink.on_answer(name, {{}, known->error});
  names_.refresh(known->name);
}

// The watch may stand under the absolute form of the name.
const dns::Update* Resolution::addresses_of(const std::string& name) const {
  const dns::Update* known = names_.find(name, dns::Kind::addresses);
  return known != nullptr ? known : names_.find(name + ".", dns::Kind::addresses);
}

std::optional<TimePoint> Resolution::answered_at(const std::string& name) const {
  const dns::Update* known = addresses_of(name);
  if (known == nullptr || known->addresses.empty()) return std::nullopt;
  return known->answered_at;
}

}  // namespace tunnel::runtime
