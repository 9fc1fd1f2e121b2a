// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "balance/arrangement.h"
#include "balance/layout.h"
#include "base/clock.h"
#include "base/kind.h"

namespace tunnel::balance {

// The targets of one service, with what is known about them, and the policy's turns. Lives as long
// as its service has connections; must outlive every Layout, Walk and Claim that came from it.
// `build` and the destructor belong to one thread (the supervisor's); what it makes is for all.
class Backend {
 public:
  // `listener` (may be null when nobody ever waits) must outlive the backend.
  explicit Backend(SlotListener* listener);
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  // A layout in which the targets that were known before keep their health and their counts.
  // Targets that nothing refers to any more are forgotten once they are not shown any more, or,
  // when they were ejected, once they have been away for kMemory. An answer that leaves one out for
  // a moment must not make it healthy.
  static constexpr Millis kMemory = std::chrono::minutes(10);
  [[nodiscard]] std::shared_ptr<const Layout> build(const Arrangement& arrangement,
                                                    config::Balance policy,
                                                    const HealthRules& rules, TimePoint now);

  // Those that have left less than kShown ago, the last kMostShown: what they have counted since
  // someone looked must not be lost. Longer, as past(), while others of the same text are in force.
  // The same thread.
  static constexpr Millis kShown = std::chrono::minutes(5);
  static constexpr std::size_t kMostShown = 100;
  [[nodiscard]] std::vector<std::shared_ptr<const Target>> departed(TimePoint now) const;
  // What forgotten targets had counted, by their text, where others of that text are still known:
  // the addresses of one name have one sum, which must not fall when DNS takes one of them away.
  struct Past {
    std::uint64_t connections = 0, bytes_up = 0, bytes_down = 0;
    std::uint64_t ejections = 0, checks_passed = 0, checks_failed = 0;
    std::array<std::uint64_t, kKindCount> failures{};
  };
  [[nodiscard]] const std::map<std::string, Past>& past() const { return past_; }

  // How many workers count the traffic of targets. Before the first of them is built.
  void count_on(std::size_t workers) { workers_ = workers; }

  [[nodiscard]] std::size_t known_targets() const { return targets_.size(); }
  // Connections that wait for a slot, in all workers.
  [[nodiscard]] std::uint32_t waiting() const { return waiters_.count(); }

 private:
  struct Known {
    std::shared_ptr<Target> target;
    std::optional<TimePoint> unused_since{};
    std::optional<TimePoint> left_at{};  // not in the newest layout
    [[nodiscard]] bool is_shown(TimePoint now) const { return left_at && now < *left_at + kShown; }
  };
  [[nodiscard]] std::shared_ptr<Target> target_for(const Endpoint& endpoint,
                                                   const HealthRules& rules);
  void note_departed(const Layout& layout, TimePoint now);
  void forget_unused(TimePoint now);
  [[nodiscard]] bool is_in_force(const std::string& text) const;
  [[nodiscard]] bool is_text_known(const std::string& text) const;

  Waiters waiters_;
  std::deque<Rotation> rotations_;  // by index of group; never shrinks, so references stay valid
  std::vector<Known> targets_;
  std::map<std::string, Past> past_;
  std::uint64_t last_id_ = 0;
  std::size_t workers_ = 1;
};

[[nodiscard]] HealthRules rules_of(const config::Health& health);

}  // namespace tunnel::balance
