// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "uv/loop.h"
#include "uv/mailbox.h"

namespace tunnel::runtime {

// How long a loop takes to turn, for one other thread that asks again and again and looks at the
// result. Belongs to the loop's owner and outlives the one that asks.
class Beat {
 public:
  using Duration = std::chrono::nanoseconds;

  explicit Beat(uv::Loop& loop) : bell_(loop, [this] { on_turned(); }) {}

  void ask() {
    if (is_asked_.load()) return;
    asked_at_.store(now());
    is_asked_.store(true);
    bell_.ring();
  }
  // How long the last question has been waiting for an answer.
  [[nodiscard]] Duration silent() const {
    return is_asked_.load() ? Duration(now() - asked_at_.load()) : Duration(0);
  }
  // The longest that an answer took, or takes, since the last call.
  [[nodiscard]] Duration take_lag() { return std::max(Duration(longest_.exchange(0)), silent()); }

 private:
  static std::int64_t now() {
    return Duration(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
  void on_turned() {
    if (!is_asked_.load()) return;
    longest_.store(std::max(longest_.load(), now() - asked_at_.load()));
    is_asked_.store(false);
  }

  std::atomic<bool> is_asked_{false};
  std::atomic<std::int64_t> asked_at_{0};
  std::atomic<std::int64_t> longest_{0};
  uv::Bell bell_;
};

}  // namespace tunnel::runtime
