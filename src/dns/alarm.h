// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "base/clock.h"
#include "uv/loop.h"
#include "uv/timer.h"

namespace tunnel::dns {

// Wakes Names at a time. Two implementations: the loop's timer, and the one that tests look at.
class Alarm {
 public:
  virtual ~Alarm() = default;
  virtual void set(TimePoint when) = 0;  // again: moves it. May be in the past: soon, not now
  virtual void clear() = 0;
  std::function<void()> on_due;
};

class LoopAlarm final : public Alarm {
 public:
  explicit LoopAlarm(uv::Loop& loop) : loop_(loop), timer_(loop, [this] { on_due(); }) {}
  void set(TimePoint when) override { timer_.start(when - loop_.now()); }
  void clear() override { timer_.stop(); }

 private:
  uv::Loop& loop_;
  uv::Timer timer_;
};

}  // namespace tunnel::dns
