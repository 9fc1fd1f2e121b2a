// SPDX-License-Identifier: MIT
#include "balance/backend.h"

#include <algorithm>
#include <utility>

#include "balance/policy.h"

namespace tunnel::balance {

namespace {

void add(const Target& target, Backend::Past& past) {
  const TargetTally& tally = target.tally();
  past.connections += tally.connections.value();
  past.bytes_up += tally.traffic.up();
  past.bytes_down += tally.traffic.down();
  past.ejections += target.health().epoch();
  past.checks_passed += tally.checks_passed.value();
  past.checks_failed += tally.checks_failed.value();
  for (std::size_t kind = 0; kind < past.failures.size(); ++kind) {
    past.failures[kind] += tally.failures[kind].value();
  }
}

}  // namespace

Backend::Backend(SlotListener* listener) : waiters_(listener) {}

std::shared_ptr<const Layout> Backend::build(const Arrangement& arrangement, config::Balance policy,
                                             const HealthRules& rules, TimePoint now) {
  // Those that have left, too: they may come back, or still have connections.
  for (const Known& known : targets_) known.target->health_.set_rules(rules);
  std::vector<Group> groups;
  for (const std::vector<Place>& places : arrangement) {
    Group group;
    std::vector<std::uint32_t> weights;
    for (const Place& place : places) {
      weights.push_back(place.weight);
      group.members.push_back({.target = target_for(place.endpoint, rules),
                               .weight = place.weight,
                               .max_connections = place.max_connections,
                               .is_out = place.is_out});
    }
    group.sequence = smooth_sequence(weights);
    // By the group's number: after a change the turns go on where they were, and the first target
    // does not get an extra one with every answer of DNS.
    while (rotations_.size() <= groups.size()) rotations_.emplace_back();
    group.rotation = &rotations_[groups.size()];
    groups.push_back(std::move(group));
  }
  auto layout = std::make_shared<const Layout>(policy, std::move(groups), waiters_);
  note_departed(*layout, now);
  forget_unused(now);
  return layout;
}

void Backend::note_departed(const Layout& layout, TimePoint now) {
  std::vector<Known*> shown;
  for (Known& known : targets_) {
    if (layout.group_of(known.target->id())) {
      known.left_at.reset();
    } else if (!known.left_at) {
      known.left_at = now;
    }
    if (known.is_shown(now)) shown.push_back(&known);
  }
  if (shown.size() <= kMostShown) return;
  // DNS may name others each second.
  std::stable_sort(shown.begin(), shown.end(),
                   [](const Known* a, const Known* b) { return *a->left_at > *b->left_at; });
  // Long ago: is_shown() is false from now on, and forget_unused() may take it.
  for (std::size_t i = kMostShown; i < shown.size(); ++i) shown[i]->left_at = TimePoint::min();
}

std::vector<std::shared_ptr<const Target>> Backend::departed(TimePoint now) const {
  std::vector<std::shared_ptr<const Target>> departed;
  for (const Known& known : targets_) {
    if (known.is_shown(now) || (known.left_at && is_in_force(known.target->text()))) {
      departed.push_back(known.target);
    }
  }
  return departed;
}

std::shared_ptr<Target> Backend::target_for(const Endpoint& endpoint, const HealthRules& rules) {
  const auto known = std::find_if(targets_.begin(), targets_.end(), [&](const Known& each) {
    return each.target->endpoint() == endpoint;
  });
  if (known != targets_.end()) return known->target;
  targets_.push_back({std::make_shared<Target>(++last_id_, endpoint, rules, waiters_, workers_)});
  return targets_.back().target;
}

// Only this object makes new references, so a target whose only reference is ours, and whose count
// is zero, cannot be found by anybody.
void Backend::forget_unused(TimePoint now) {
  std::vector<std::shared_ptr<const Target>> forgotten;
  std::erase_if(targets_, [&](Known& known) {
    const bool is_unused = known.target.use_count() == 1 && known.target->in_flight() == 0;
    if (!is_unused) {
      known.unused_since.reset();
      return false;
    }
    if (!known.unused_since) known.unused_since = now;
    if (known.is_shown(now)) return false;
    if (!known.target->health_.is_up() && now - *known.unused_since < kMemory) return false;
    forgotten.push_back(known.target);
    return true;
  });
  for (const auto& target : forgotten) add(*target, past_[target->text()]);
  std::erase_if(past_, [this](const auto& each) { return !is_text_known(each.first); });
}

// Some target of the newest layout is called so.
bool Backend::is_in_force(const std::string& text) const {
  return std::any_of(targets_.begin(), targets_.end(), [&](const Known& known) {
    return !known.left_at && known.target->text() == text;
  });
}

bool Backend::is_text_known(const std::string& text) const {
  return std::any_of(targets_.begin(), targets_.end(),
                     [&](const Known& known) { return known.target->text() == text; });
}

HealthRules rules_of(const config::Health& health) {
  return {.eject_time = health.eject_time,
          .eject_max = health.eject_max,
          .has_check = health.check != config::Check::none,
          .fall = health.fall,
          .rise = health.rise};
}

}  // namespace tunnel::balance
