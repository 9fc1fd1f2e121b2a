// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "runtime/messages.h"

namespace tunnel::runtime {

// The orders that all workers are to answer: each is complete when all have, or when its time is
// over. Supervisor's loop; owned by the Administration.
class Inquiries {
 public:
  // A worker that has not answered by then stands still, or has very much to do.
  static constexpr Millis kPatience{2'000};

  struct Answers {
    std::set<std::size_t> silent;  // workers that have not answered
    std::vector<ConnectionView> connections;
    std::vector<ClosedView> closed;
    std::size_t ended = 0;
  };
  using OnComplete = std::function<void(const Answers&)>;
  using Send = std::function<void(const ConnectionsOrder&)>;
  Inquiries(std::size_t workers, Send send) : workers_(workers), send_(std::move(send)) {}

  void ask(ConnectionsOrder order, TimePoint now, OnComplete on_complete);
  void on_answer(ConnectionsAnswer answer);
  // Completes those whose time is over.
  void expire(TimePoint now);
  [[nodiscard]] std::optional<TimePoint> next_end() const;

 private:
  struct Pending {
    Answers answers;
    TimePoint until;
    OnComplete on_complete;
  };
  void complete(std::uint64_t request);

  const std::size_t workers_;
  const Send send_;  // to all of them
  std::map<std::uint64_t, Pending> pending_;
  std::uint64_t last_request_ = 0;
};

}  // namespace tunnel::runtime
