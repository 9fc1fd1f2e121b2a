// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "uv/loop.h"

namespace tunnel::uv {

// One-shot timer. Loop-bound. Destroying or stopping it means the callback does not run any more.
// On a turn that comes much later than it should, the sockets are looked at first: what was sent in
// time is heard before a deadline is judged.
// The heap block with the libuv handle is made at the first start: a Timer never started is a
// pointer or three.
class Timer {
 public:
  // `on_expired` may destroy the Timer as its last action.
  Timer(Loop& loop, std::function<void()> on_expired);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void start(Millis after);  // again: moves the deadline
  void stop();
  void release();  // stop, and give the block back
  [[nodiscard]] bool is_active() const;

  struct Block;

 private:
  struct Closer {
    void operator()(Block* block) const;
  };
  Loop& loop_;
  std::function<void()> on_expired_;
  std::unique_ptr<Block, Closer> block_;
};

}  // namespace tunnel::uv
