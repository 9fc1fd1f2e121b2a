// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "uv/loop.h"

namespace tunnel::uv {

// Wakes a loop from another thread: `ring` may be called from anywhere, `on_ring` runs on the loop,
// at least once after the last ring. Constructed and destroyed on the loop's thread, or before the
// loop runs and after it ended. Keeps the loop running. `on_ring` may destroy the Bell.
class Bell {
 public:
  Bell(Loop& loop, std::function<void()> on_ring);
  ~Bell();
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  void ring();
  struct Block;

 private:
  struct Closer {
    void operator()(Block* block) const;
  };
  std::unique_ptr<Block, Closer> block_;
};

// Messages from any thread to one loop, in order per sender. The mutex is held for a push or a
// swap. Messages that were not delivered die with it; `on_message` must not destroy it.
template <class Message>
class Mailbox {
 public:
  Mailbox(Loop& loop, std::function<void(Message)> on_message)
      : on_message_(std::move(on_message)), bell_(loop, [this] { deliver(); }) {}

  void send(Message message) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(message));
    }
    bell_.ring();
  }

 private:
  void deliver() {
    std::vector<Message> batch;
    {
      const std::lock_guard lock(mutex_);
      batch.swap(waiting_);
    }
    for (Message& message : batch) on_message_(std::move(message));
  }

  std::function<void(Message)> on_message_;
  std::mutex mutex_;
  std::vector<Message> waiting_;
  Bell bell_;
};

}  // namespace tunnel::uv
