// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace tunnel::balance {

// The finaliser of SplitMix64: every input bit changes every output bit with probability 1/2.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// 53 of the bits as a number in [0, 1).
[[nodiscard]] constexpr double unit(std::uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

// A small seedable generator (SplitMix64) for choices and jitter; nothing secret. Each worker has
// its own, seeded differently; one thread.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15ULL); }
  // A number in [0, bound); bound > 0. The bias of at most bound / 2^53 does not matter here.
  std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>(unit(next()) * static_cast<double>(bound));
  }
  // A number in [low, high).
  double between(double low, double high) { return low + (high - low) * unit(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace tunnel::balance
