// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/clock.h"

namespace tunnel::uv {

// How fast the bytes of one stream come, and therefore how many are worth waiting for before it is
// read again. A value, eight bytes, because every connection has two; says something only once in a
// few milliseconds.
//
// A server that encrypts record by record wakes us for every 16 KiB, although sixteen times as much
// may be there a moment later, and each round of waking, reading and writing costs what moving
// another 16 KiB does. What network cards do against that is called interrupt coalescing.
class ReadPace {
 public:
  // So much, at least, is worth it; the pace that brings it in kWait is the slowest that counts.
  static constexpr std::uint32_t kLeast = 64 * 1024;
  static constexpr std::uint32_t kMost = 256 * 1024;
  // Bytes of how much time are worth waiting for: half of a millisecond.
  static constexpr std::uint32_t kWaitsPerMilli = 2;
  // A pace is believed when it was held for so long, so that an answer of a few megabytes comes
  // without any delay.
  static constexpr std::uint32_t kWindowMillis = 4;

  // Notes a read. When enough time has passed since the last answer: 1 (whatever comes), or a
  // multiple of kLeast up to kMost.
  std::optional<std::uint32_t> note(std::size_t size, TimePoint now) {
    const auto millis = static_cast<std::uint32_t>(now.time_since_epoch().count());
    const std::uint32_t elapsed = millis - since_;  // modulo 2^32: 49 days are as good as none
    bytes_ += static_cast<std::uint32_t>(size);
    if (elapsed < kWindowMillis) return std::nullopt;
    const std::uint32_t bytes = std::exchange(bytes_, 0);
    since_ = millis;
    if (bytes / (kLeast * kWaitsPerMilli) < elapsed) return 1;
    return std::min(bytes / elapsed / kWaitsPerMilli / kLeast * kLeast, kMost);
  }

 private:
  std::uint32_t since_ = 0;
  std::uint32_t bytes_ = 0;
};

}  // namespace tunnel::uv
