// SPDX-License-Identifier: MIT
#include "balance/backend.h"

#include <algorithm>
#include <utility>

#include "balance/policy.h"

namespace tunnel::balance {

Backend::Backend(SlotListener* listener) : waiters_(listener) {}

std::shared_ptr<const Layout> Backend::build(const Arrangement& arrangement, config::Balance policy,
                                             const HealthRules& rules) {
  for (const std::shared_ptr<Target>& target : targets_) target->health_.set_rules(rules);
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
    while (rotations_.size() <= groups.size()) rotations_.emplace_back();
    group.rotation = &rotations_[groups.size()];
    groups.push_back(std::move(group));
  }
  auto layout = std::make_shared<const Layout>(policy, std::move(groups), waiters_);
  forget_unused();
  return layout;
}

std::shared_ptr<Target> Backend::target_for(const Endpoint& endpoint, const HealthRules& rules) {
  const auto known = std::find_if(targets_.begin(), targets_.end(),
                                  [&](const auto& t) { return t->endpoint() == endpoint; });
  if (known != targets_.end()) return *known;
  return targets_.emplace_back(std::make_shared<Target>(++last_id_, endpoint, rules, waiters_));
}

// Only this object makes new references, so a target whose only reference is ours, and whose count
// is zero, cannot be found by anybody. One that is ejected is kept: an answer that leaves it
// out for a moment must not make it healthy.
void Backend::forget_unused() {
  std::erase_if(targets_, [](const std::shared_ptr<Target>& target) {
    return target.use_count() == 1 && target->in_flight() == 0 && target->health_.is_up();
  });
}

HealthRules rules_of(const config::Health& health) {
  return {.eject_time = health.eject_time,
          .eject_max = health.eject_max,
          .has_check = health.check != config::Check::none,
          .fall = health.fall,
          .rise = health.rise};
}

}  // namespace tunnel::balance
