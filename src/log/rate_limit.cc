// SPDX-License-Identifier: MIT
#include "log/rate_limit.h"

#include <algorithm>
#include <utility>

namespace tunnel::log {

RateLimit::Verdict RateLimit::admit(std::string_view key) {
  const TimePoint now = clock_.now();
  key = key.substr(0, kMaxKeyBytes);
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    if (entries_.size() >= kMaxKeys) forget_oldest();
    entries_.emplace(std::string(key), Entry{.written = now});
    return {.write = true};
  }
  Entry& entry = found->second;
  // Counted from the last line that was written: what repeats all the time still has a line for
  // each window.
  if (now - entry.written < window_) {
    ++entry.suppressed;
    return {};
  }
  entry.written = now;
  return {.write = true, .suppressed = std::exchange(entry.suppressed, 0)};
}

// A scan, but of a small map, and only when somebody invents new keys all the time.
void RateLimit::forget_oldest() {
  entries_.erase(std::min_element(
      entries_.begin(), entries_.end(),
      [](const auto& a, const auto& b) { return a.second.written < b.second.written; }));
}

}  // namespace tunnel::log
