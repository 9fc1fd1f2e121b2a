// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "capture/event.h"
#include "capture/lane.h"

namespace tunnel::capture {

// What has come on several lanes and is to be written, in the order of time. A batch goes back to
// its lane as soon as its last event has been taken, so that a slow writer makes room bit by bit.
// The writing thread's.
class Backlog {
 public:
  explicit Backlog(const std::vector<std::shared_ptr<Lane>>& lanes);
  ~Backlog();  // gives back the rest
  Backlog(const Backlog&) = delete;
  Backlog& operator=(const Backlog&) = delete;

  // Every event, not in order; none is taken.
  void for_each(const std::function<void(const Event&)>& call) const;
  // Takes the earliest; false: there is none. The octets are valid during the call.
  bool take(const std::function<void(const Event&, Bytes octets)>& call);
  // Those that have not been taken and would be packets with octets.
  [[nodiscard]] std::uint64_t packets() const;

 private:
  struct Queue {
    std::shared_ptr<Lane> lane;
    std::vector<Batch> batches;
    std::size_t batch = 0, event = 0;  // the next one

    [[nodiscard]] bool is_empty() const { return batch == batches.size(); }
    [[nodiscard]] const Event& front() const { return batches[batch].events[event]; }
    void pop();
  };
  std::vector<Queue> queues_;
};

}  // namespace tunnel::capture
