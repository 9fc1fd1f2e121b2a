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
// read again. A value of a few bytes, because every connection has two; says something only once in
// a while.
//
// A server that encrypts record by record wakes us for every 16 KiB, although sixteen times as much
// may be there a moment later, and each round of waking, reading and writing costs what moving
// another 16 KiB does. What network cards do against that is called interrupt coalescing.
//
// The price is paid at the end of what comes in one piece: the last bytes, which are fewer than
// those waited for, are late. For a transfer that is nothing; for answer after answer of some
// hundred KiB it would be much. So whoever was seen to have bytes held back must be fast for twice
// as long until it is waited for again, and for half as long when that went well for long.
class ReadPace {
 public:
  // So much, at least, is worth it; the pace that brings it in half a millisecond is the slowest
  // that counts.
  static constexpr std::uint32_t kLeast = 64 * 1024;
  static constexpr std::uint32_t kMost = 256 * 1024;
  static constexpr std::uint32_t kWaitsPerMilli = 2;
  // A pace is believed when it was held for so long: at first, and at most.
  static constexpr std::uint32_t kWindowMillis = 4;
  static constexpr std::uint8_t kMostDoublings = 6;
  // In a row, each of them fast and waited for; then the window is halved.
  static constexpr std::uint8_t kGoodWindows = 16;

  // Notes a read. When enough time has passed since the last answer: 1 (whatever comes), or a
  // multiple of kLeast up to kMost.
  std::optional<std::uint32_t> note(std::size_t size, TimePoint now) {
    const auto millis = static_cast<std::uint32_t>(now.time_since_epoch().count());
    const std::uint32_t elapsed = millis - since_;  // modulo 2^32: 49 days are as good as none
    bytes_ += static_cast<std::uint32_t>(size);     // overflows at 16 GB a second
    if (elapsed < kWindowMillis << doublings_) return std::nullopt;
    const std::uint32_t bytes = std::exchange(bytes_, 0);
    since_ = millis;
    const bool is_fast = bytes / (kLeast * kWaitsPerMilli) >= elapsed;
    const bool went_well = std::exchange(is_waiting_, is_fast) && is_fast;
    good_windows_ = went_well ? static_cast<std::uint8_t>(good_windows_ + 1) : std::uint8_t{0};
    if (good_windows_ == kGoodWindows) {
      good_windows_ = 0;
      if (doublings_ > 0) --doublings_;
    }
    if (!is_fast) return 1;
    return std::min(bytes / elapsed / kWaitsPerMilli / kLeast * kLeast, kMost);
  }

  // It is not waited for any more, before note() has said so: nothing came for a while ...
  void note_rest() { is_waiting_ = false; }
  // ... or bytes that were there have waited in vain for more.
  void note_held_back(TimePoint now) {
    since_ = static_cast<std::uint32_t>(now.time_since_epoch().count());
    bytes_ = 0;
    is_waiting_ = false;
    good_windows_ = 0;
    if (doublings_ < kMostDoublings) ++doublings_;
  }

  friend bool operator==(const ReadPace&, const ReadPace&) = default;

 private:
  std::uint32_t since_ = 0;
  std::uint32_t bytes_ = 0;
  std::uint8_t doublings_ = 0;  // of the window
  std::uint8_t good_windows_ = 0;
  bool is_waiting_ = false;  // the last answer was more than 1
};

}  // namespace tunnel::uv
