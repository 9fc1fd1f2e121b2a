// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/result.h"
#include "runtime/messages.h"
#include "runtime/worker.h"

namespace tunnel::runtime {

// All workers of the process: begun, addressed and joined together, and each new client goes to one
// of them. Supervisor's thread; owned by the Supervisor.
class Workers {
 public:
  // As many as settings.workers says; settings.index is given here.
  explicit Workers(Worker::Settings settings);
  ~Workers();  // joins
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // After an error, those that run have been told to leave.
  [[nodiscard]] Result<void> start();
  void send_all(const ToWorkerFactory& make);
  // Tunnels are few, long and heavy: the worker with the fewest gets the next one, in turn among
  // equals. One that has a connection ready for it comes before all others.
  void hand_over(Accepted accepted);
  void join();

  [[nodiscard]] std::size_t size() const { return workers_.size(); }
  [[nodiscard]] Worker& operator[](std::size_t index) { return *workers_[index]; }

 private:
  std::vector<std::unique_ptr<Worker>> workers_;
  std::size_t next_ = 0;
};

}  // namespace tunnel::runtime
