// SPDX-License-Identifier: MIT
#include "capture/backlog.h"

#include <utility>

namespace tunnel::capture {

Backlog::Backlog(const std::vector<std::shared_ptr<Lane>>& lanes) {
  for (const auto& lane : lanes) queues_.push_back({.lane = lane, .batches = lane->take()});
}

Backlog::~Backlog() {
  for (Queue& queue : queues_) {
    for (; !queue.is_empty(); ++queue.batch) {
      queue.lane->written(std::move(queue.batches[queue.batch]));
    }
  }
}

void Backlog::Queue::pop() {
  if (++event < batches[batch].events.size()) return;
  // At once: the worker has room again while the rest is still being written.
  lane->written(std::move(batches[batch]));
  ++batch;
  event = 0;
}

void Backlog::for_each(const std::function<void(const Event&)>& call) const {
  for (const Queue& queue : queues_) {
    for (std::size_t batch = queue.batch; batch < queue.batches.size(); ++batch) {
      const auto& events = queue.batches[batch].events;
      for (std::size_t i = batch == queue.batch ? queue.event : 0; i < events.size(); ++i) {
        call(events[i]);
      }
    }
  }
}

// A lane is in the order of time by itself, so the earliest of all is at the head of one. There are
// as many lanes as workers: looking at each head is cheaper than keeping them sorted.
bool Backlog::take(const std::function<void(const Event&, Bytes)>& call) {
  Queue* first = nullptr;
  for (Queue& queue : queues_) {
    if (queue.is_empty()) continue;
    if (first == nullptr || queue.front().at < first->front().at) first = &queue;
  }
  if (first == nullptr) return false;
  const Event& event = first->front();
  call(event, Bytes(first->batches[first->batch].octets).subspan(event.begin, event.kept));
  first->pop();
  return true;
}

std::uint64_t Backlog::packets() const {
  std::uint64_t count = 0;
  for_each([&](const Event& event) { count += event.what == Event::What::octets ? 1 : 0; });
  return count;
}

}  // namespace tunnel::capture
