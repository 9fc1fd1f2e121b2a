// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tunnel::runtime {

// How a reload went, for people: one line a service, or why nothing has changed.
struct Reloaded {
  bool is_done = false;
  std::vector<std::string> lines{};
};
using OnReloaded = std::function<void(const Reloaded&)>;

// Who is to hear how a reload went. A request that comes while a reload is under way waits for the
// next one, which reads the file after it was asked for; all that wait then get the same answer.
// Supervisor's thread; owned by the Supervisor.
class ReloadRequests {
 public:
  void add(OnReloaded on_reloaded) { waiting_.push_back(std::move(on_reloaded)); }
  [[nodiscard]] bool is_waiting() const { return !waiting_.empty(); }
  // A reload begins, for all that wait.
  void begin() { current_ = std::exchange(waiting_, {}); }
  // The answer to those that the reload under way is for, or to those that wait.
  void answer_current(const Reloaded& result) { answer(std::exchange(current_, {}), result); }
  void answer_waiting(const Reloaded& result) { answer(std::exchange(waiting_, {}), result); }

 private:
  static void answer(const std::vector<OnReloaded>& requests, const Reloaded& result) {
    for (const OnReloaded& on_reloaded : requests) on_reloaded(result);
  }

  std::vector<OnReloaded> waiting_;
  std::vector<OnReloaded> current_;
};

}  // namespace tunnel::runtime
