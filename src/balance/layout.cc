// SPDX-License-Identifier: MIT
#include "balance/layout.h"

#include <algorithm>
#include <utility>

namespace tunnel::balance {

Layout::Layout(config::Balance policy, std::vector<Group> groups, Waiters& waiters)
    : policy_(policy), groups_(std::move(groups)), waiters_(waiters) {
  for (const Group& group : groups_) {
    for (const Member& member : group.members) {
      // The same endpoint in two groups is one target.
      if (std::find(targets_.begin(), targets_.end(), member.target.get()) == targets_.end()) {
        targets_.push_back(member.target.get());
        if (member.weight > 0) ++serving_;
      }
    }
  }
}

std::optional<std::size_t> Layout::serving_group() const {
  for (std::size_t index = 0; index < groups_.size(); ++index) {
    for (const Member& member : groups_[index].members) {
      if (member.weight == 0 || member.is_out) continue;
      // One that is due for its trial does not count: open connections are not moved for a guess.
      if (member.target->health().is_up() && member.has_room()) return index;
    }
  }
  return std::nullopt;
}

std::optional<std::size_t> Layout::group_of(std::uint64_t target_id) const {
  for (std::size_t index = 0; index < groups_.size(); ++index) {
    for (const Member& member : groups_[index].members) {
      if (member.target->id() == target_id) return index;
    }
  }
  return std::nullopt;
}

}  // namespace tunnel::balance
