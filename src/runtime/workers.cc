// SPDX-License-Identifier: MIT
#include "runtime/workers.h"

#include <cstdint>
#include <utility>

namespace tunnel::runtime {

Workers::Workers(Worker::Settings settings) {
  for (settings.index = 0; settings.index < settings.workers; ++settings.index) {
    workers_.push_back(std::make_unique<Worker>(settings));
  }
}

Workers::~Workers() = default;

Result<void> Workers::start() {
  for (const auto& worker : workers_) {
    if (auto started = worker->start(); !started) {
      // Those that run are joined later, and leave their loops by a message only.
      send_all([] { return ToWorker(Leave{}); });
      return started;
    }
  }
  return {};
}

void Workers::send_all(const ToWorkerFactory& make) {
  for (const auto& worker : workers_) worker->send(make());
}

void Workers::hand_over(Accepted accepted) {
  // May be out of date when the client arrives there: it is then dialled for, like any other.
  const std::uint64_t ready = accepted.service.life->ready_workers.load();
  const auto rank = [&](std::size_t index) {
    return std::pair((ready & worker_bit(index)) == 0, workers_[index]->connections.load());
  };
  std::size_t best = next_;
  for (std::size_t i = 1; i < workers_.size(); ++i) {
    const std::size_t candidate = (next_ + i) % workers_.size();
    if (rank(candidate) < rank(best)) best = candidate;
  }
  next_ = (best + 1) % workers_.size();
  // Before the worker knows of it: the next client, perhaps in this same turn, is to see it.
  workers_[best]->connections.fetch_add(1);
  workers_[best]->send(std::move(accepted));
}

void Workers::join() {
  for (const auto& worker : workers_) worker->join();
}

}  // namespace tunnel::runtime
