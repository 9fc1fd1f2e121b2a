// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "balance/target.h"
#include "config/model.h"

namespace tunnel::balance {

// Whose turn it is in one group, for all workers. Counts the turns given; owned by Backend, so
// that a new layout goes on where the old one was.
struct Rotation {
  std::atomic<std::uint64_t> turn{0};
};

// A target in its group.
struct Member {
  std::shared_ptr<Target> target;
  std::uint32_t weight = 1;  // 0: drained
  std::optional<std::uint32_t> max_connections;
  bool is_out = false;  // an operator has ejected it: as if it were down
  [[nodiscard]] bool has_room() const {
    return !max_connections || target->in_flight() < *max_connections;
  }
};

// Targets that share the load.
struct Group {
  std::vector<Member> members;
  // The order of turns as indices into `members`; each weight stands there as often as its share
  // says, evenly spread. Empty when every member is drained.
  std::vector<std::uint32_t> sequence;
  Rotation* rotation = nullptr;
};

// The targets of one service in the order of their groups. Immutable; made by Backend::build when
// the configuration or a DNS answer changes the set, and handed to the workers by message. The
// Backend must outlive it.
class Layout {
 public:
  Layout(config::Balance policy, std::vector<Group> groups, Waiters& waiters);

  [[nodiscard]] config::Balance policy() const { return policy_; }
  [[nodiscard]] const std::vector<Group>& groups() const { return groups_; }
  // Each target once, in order, the drained ones too: whom to check.
  [[nodiscard]] const std::vector<Target*>& targets() const { return targets_; }
  // Only one of them may get connections: leaving it out would leave nothing.
  [[nodiscard]] bool has_one_target() const { return serving_ == 1; }
  [[nodiscard]] Waiters& waiters() const { return waiters_; }
  // The first group with a healthy target that has room for one more: where a client that comes now
  // is served.
  [[nodiscard]] std::optional<std::size_t> serving_group() const;
  // The first group with this target; nothing when it has left.
  [[nodiscard]] std::optional<std::size_t> group_of(std::uint64_t target_id) const;

 private:
  config::Balance policy_;
  std::vector<Group> groups_;
  std::vector<Target*> targets_;
  std::size_t serving_ = 0;
  Waiters& waiters_;
};

}  // namespace tunnel::balance
