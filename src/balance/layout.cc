// SPDX-License-Identifier: MIT
#include "balance/layout.h"

#include <algorithm>
#include <utility>

namespace tunnel::balance {

Layout::Layout(config::Balance policy, std::vector<Group> groups, Waiters& waiters)
    : policy_(policy), groups_(std::move(groups)), waiters_(waiters) {
  for (const Group& group : groups_) {
    for (const Member& member : group.members) {
      if (std::find(targets_.begin(), targets_.end(), member.target.get()) == targets_.end()) {
        targets_.push_back(member.target.get());
        if (member.weight > 0) ++serving_;
      }
    }
  }
}

}  // namespace tunnel::balance
