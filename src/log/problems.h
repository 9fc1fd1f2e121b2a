// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "log/line.h"
#include "log/log.h"

namespace tunnel::log {

// A warning or an error that was logged lately.
struct Problem {
  std::chrono::system_clock::time_point time;
  Level level = Level::error;
  Event event = Event::notice;
  std::string service;
  std::uint64_t conn = 0;
  std::string kind;  // the field of that name, or empty
  std::string text;
};

// The last warnings and errors, for people who ask what is wrong. Any thread; bounded in number and
// in length.
class Problems {
 public:
  static constexpr std::size_t kMost = 50;

  void note(const Line& line);                      // does nothing for a line of another level
  [[nodiscard]] std::vector<Problem> list() const;  // the oldest first

 private:
  mutable std::mutex mutex_;
  std::deque<Problem> problems_;
};

}  // namespace tunnel::log
