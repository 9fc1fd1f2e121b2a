// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace tunnel::log {

// Lets the first line of a kind through and counts its repeats: `admit` says whether to write now,
// and how many were held back since the last one that was written. One thread (or one per worker).
//
// Keys often contain what a peer said, so their number and length are bounded: beyond kMaxKeys the
// key that was written longest ago is forgotten, together with its count.
class RateLimit {
 public:
  static constexpr std::size_t kMaxKeys = 512;
  static constexpr std::size_t kMaxKeyBytes = 256;

  explicit RateLimit(const Clock& clock, Millis window = std::chrono::seconds(10))
      : clock_(clock), window_(window) {}
  RateLimit(const RateLimit&) = delete;
  RateLimit& operator=(const RateLimit&) = delete;

  struct Verdict {
    bool write = false;
    std::uint64_t suppressed = 0;  // repeats held back since the last written line of this key
  };
  [[nodiscard]] Verdict admit(std::string_view key);
  [[nodiscard]] std::size_t key_count() const { return entries_.size(); }

 private:
  struct Entry {
    TimePoint written;
    std::uint64_t suppressed = 0;
  };
  void forget_oldest();

  const Clock& clock_;
  const Millis window_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace tunnel::log
