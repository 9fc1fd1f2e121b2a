// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "base/clock.h"
#include "uv/stream.h"
#include "uv/timer.h"

namespace tunnel::uv {

// The streams of one loop that are read only when a certain number of bytes is there (SO_RCVLOWAT,
// socket(7)), because that many come in a moment anyway (ReadPace). The kernel tells an end or an
// error in any case, but not that the last bytes are fewer: so this looks after them every
// millisecond, and a stream from which nothing was read since the last look is read at any byte
// again. The tail of a fast transfer waits for two milliseconds at most; how often that may happen
// to one stream, ReadPace decides.
//
// Owned by the Loop, on its thread. Costs nothing while no stream is fast.
class Coalescing {
 public:
  static constexpr Millis kLook{1};

  explicit Coalescing(Loop& loop) : timer_(loop, [this] { look(); }) {}
  Coalescing(const Coalescing&) = delete;
  Coalescing& operator=(const Coalescing&) = delete;

  void add(Stream::Block& block);
  void remove(Stream::Block& block);

 private:
  void look();

  std::vector<Stream::Block*> blocks_;  // each takes itself out before it ends
  Timer timer_;
};

}  // namespace tunnel::uv
