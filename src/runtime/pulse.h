// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <vector>

#include "uv/loop.h"
#include "uv/mailbox.h"

namespace tunnel::runtime {

// Whether a loop turns, for another thread to ask. Belongs to the loop's owner and outlives the
// one that asks; ask() and has_answered() from any one thread.
class Pulse {
 public:
  explicit Pulse(uv::Loop& loop) : bell_(loop, [this] { is_asked_.store(false); }) {}

  void ask() {
    if (!is_over_.load() && !is_asked_.exchange(true)) bell_.ring();
  }
  [[nodiscard]] bool has_answered() const { return is_over_.load() || !is_asked_.load(); }
  // The loop has been left: it owes no answer any more.
  void end() { is_over_.store(true); }

 private:
  std::atomic<bool> is_asked_{false};
  std::atomic<bool> is_over_{false};
  uv::Bell bell_;
};

// Finds loops that stand still by looking at them again and again, at equal intervals. What counts
// is how often a loop was found without an answer, not the time: a process that was itself stopped
// for hours has been looked at once meanwhile.
class StallWatch {
 public:
  StallWatch(std::vector<Pulse*> pulses, unsigned looks)
      : pulses_(std::move(pulses)), silent_(pulses_.size()), looks_(looks) {}

  // Asks each loop, and says which has not answered for `looks` times; its index.
  [[nodiscard]] std::optional<std::size_t> look() {
    std::optional<std::size_t> stalled;
    for (std::size_t i = 0; i < pulses_.size(); ++i) {
      silent_[i] = pulses_[i]->has_answered() ? 0 : silent_[i] + 1;
      if (silent_[i] >= looks_) stalled = i;
      pulses_[i]->ask();
    }
    return stalled;
  }

 private:
  const std::vector<Pulse*> pulses_;
  std::vector<unsigned> silent_;
  const unsigned looks_;
};

}  // namespace tunnel::runtime
