// SPDX-License-Identifier: MIT
// What Administration tells about services and their targets.
#include <algorithm>
#include <utility>

#include "balance/policy_words.h"
#include "runtime/administration.h"
#include "runtime/status_counts.h"

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

}  // namespace

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
