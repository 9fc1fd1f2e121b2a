// SPDX-License-Identifier: MIT
// What the load's two ends say to one another. Both check every byte: a run with a transfer that
// failed must not be reported.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace load {

// Before anything else, from the client: what it wants, and how many bytes.
struct Header {
  static constexpr std::uint32_t kMagic = 0x316e6254;
  enum class Wish : std::uint32_t {
    echo = 1,   // `size` bytes, header included, come back as they are
    down = 2,   // the server sends `size` bytes of the pattern
    up = 3,     // `size` bytes of the pattern follow; the server answers `taken` or `spoilt`
    taken = 4,  // the answer: all `size` bytes were right
    spoilt = 5,
  };
  std::uint32_t magic = kMagic;
  Wish wish = Wish::echo;
  std::uint64_t size = 0;
};
static_assert(sizeof(Header) == 16);

// A request and its answer on a kept connection.
inline constexpr std::size_t kEchoSize = 100;
// How much is read or written at once.
inline constexpr std::size_t kChunk = 256 * 1024;

// A stream without a short period: a lost or doubled piece cannot hide in it. Sent from where it
// lies and compared where it arrives, so that checking costs one pass.
class Pattern {
 public:
  Pattern() : bytes_(kPeriod + kChunk) {
    std::uint64_t state = 0x9e3779b97f4a7c15;
    for (std::size_t i = 0; i < kPeriod; ++i) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      bytes_[i] = static_cast<char>(state >> 32);
    }
    std::copy_n(bytes_.begin(), kChunk, bytes_.begin() + kPeriod);
  }
  // What comes at `offset` of the stream, at most kChunk bytes.
  [[nodiscard]] std::string_view at(std::uint64_t offset, std::uint64_t size) const {
    return {bytes_.data() + offset % kPeriod,
            static_cast<std::size_t>(std::min<std::uint64_t>(size, kChunk))};
  }
  [[nodiscard]] bool matches(std::uint64_t offset, std::string_view got) const {
    return got.size() <= kChunk && got == at(offset, got.size());
  }

 private:
  static constexpr std::size_t kPeriod = (1 << 20) + 61;
  std::vector<char> bytes_;
};

}  // namespace load
