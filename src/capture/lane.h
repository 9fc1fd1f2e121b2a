// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/bytes.h"
#include "capture/event.h"
#include "uv/loop.h"

namespace tunnel::capture {

// The way of events from one worker to the thread that writes a capture. The worker collects during
// a turn of its loop and hands over at the end of it; it never waits, and what would be too much is
// dropped and counted. Created by the worker, which calls everything but take() and written();
// shared with the writing thread.
class Lane final : public uv::Deferred, public std::enable_shared_from_this<Lane> {
 public:
  // Octets on their way, after which more are dropped.
  static constexpr std::size_t kMostOctets = 64UL << 20U;
  // Events without octets are few and matter more; they have this much more room.
  static constexpr std::size_t kReserve = 1UL << 20U;

  // `on_batch` wakes the writing thread.
  Lane(uv::Loop& loop, std::function<void()> on_batch)
      : loop_(loop), on_batch_(std::move(on_batch)) {}

  // False: there is no room for so much.
  [[nodiscard]] bool has_room(std::size_t octets) const;
  void add(Event event, Bytes octets = {});
  void count_dropped() { dropped_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t dropped() const {  // any thread
    return dropped_.load(std::memory_order_relaxed);
  }

  // The writing thread: what has come, in order of time for each worker.
  [[nodiscard]] std::vector<Batch> take();
  void written(Batch batch);  // is done with; its memory is used again

 private:
  void on_end_of_turn() override;
  [[nodiscard]] static std::size_t weight_of(const Batch& batch);

  uv::Loop& loop_;
  const std::function<void()> on_batch_;
  Batch collecting_;                     // the worker's
  std::shared_ptr<Lane> self_;           // until the end of the turn in which something was added
  std::atomic<std::size_t> pending_{0};  // handed over and not written yet
  std::atomic<std::uint64_t> dropped_{0};
  std::mutex mutex_;
  std::vector<Batch> handed_over_;
  std::vector<Batch> spare_;
};

}  // namespace tunnel::capture
