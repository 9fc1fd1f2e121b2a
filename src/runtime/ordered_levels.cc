// SPDX-License-Identifier: MIT
#include "runtime/ordered_levels.h"

#include <algorithm>
#include <utility>

namespace tunnel::runtime {

void OrderedLevels::set(const admin::AdminActions::LevelOrder& order, const admin::Operator& by,
                        TimePoint now) {
  std::erase_if(entries_, [&](const Entry& entry) {
    return entry.order.service == order.service && entry.order.client == order.client;
  });
  entries_.push_back({order, by});
  if (order.lasting) entries_.back().until = now + *order.lasting;
  return put_in_force();
}

void OrderedLevels::expire(TimePoint now) {
  const auto is_over = [now](const Entry& entry) { return entry.until && *entry.until <= now; };
  if (std::erase_if(entries_, is_over) > 0) return put_in_force();
}

std::optional<TimePoint> OrderedLevels::next_end() const {
  std::optional<TimePoint> next;
  for (const Entry& entry : entries_) {
    if (entry.until) next = std::min(next.value_or(*entry.until), *entry.until);
  }
  return next;
}

void OrderedLevels::put_in_force() {
  std::vector<log::LevelOverride> overrides;
  for (const Entry& entry : entries_) {
    overrides.push_back({entry.order.level, entry.order.service, entry.order.client});
  }
  log_.set_level_overrides(std::move(overrides));
}

}  // namespace tunnel::runtime
