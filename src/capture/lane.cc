// SPDX-License-Identifier: MIT
#include "capture/lane.h"

#include <utility>

namespace tunnel::capture {
namespace {

// The writer may be so many turns behind before fresh memory is needed, whose pages cost as much as
// a copy of what goes there.
constexpr std::size_t kMostSpares = 32;

}  // namespace

std::size_t Lane::weight_of(const Batch& batch) {
  return batch.octets.size() + batch.events.size() * sizeof(Event);
}

bool Lane::has_room(std::size_t octets) const {
  const std::size_t limit = octets == 0 ? kMostOctets + kReserve : kMostOctets;
  return pending_.load(std::memory_order_relaxed) + weight_of(collecting_) + octets <= limit;
}

void Lane::add(Event event, Bytes octets) {
  event.begin = collecting_.octets.size();
  event.kept = static_cast<std::uint32_t>(octets.size());
  collecting_.octets.insert(collecting_.octets.end(), octets.begin(), octets.end());
  collecting_.events.push_back(std::move(event));
  if (self_) return;
  // The worker may let go of the lane in this very turn, and the loop has only its address.
  self_ = shared_from_this();
  return loop_.at_end_of_turn(*this);
}

void Lane::on_end_of_turn() {
  const std::shared_ptr<Lane> self = std::move(self_);
  if (collecting_.events.empty()) return;
  // Before the batch can be taken: written() subtracts, perhaps at once.
  pending_.fetch_add(weight_of(collecting_), std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);
    handed_over_.push_back(std::move(collecting_));
    collecting_ = {};
    if (!spare_.empty()) {
      collecting_ = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  return on_batch_();
}

std::vector<Batch> Lane::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(handed_over_, {});
}

void Lane::written(Batch batch) {
  pending_.fetch_sub(weight_of(batch), std::memory_order_relaxed);
  // clear() keeps the memory, for which the batch is kept.
  batch.events.clear();
  batch.octets.clear();
  const std::lock_guard lock(mutex_);
  if (spare_.size() < kMostSpares) spare_.push_back(std::move(batch));
}

}  // namespace tunnel::capture
