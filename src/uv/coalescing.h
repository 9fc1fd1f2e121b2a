// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "base/clock.h"
#include "uv/loop.h"
#include "uv/timer.h"

namespace tunnel::uv {

// The streams of one loop that are read only when a certain number of bytes is there (SO_RCVLOWAT,
// socket(7)), because that many come in a moment anyway (ReadPace). The kernel reports an end or an
// error in any case, but not that the last bytes are fewer: so this looks after them every
// millisecond, and a stream from which nothing was read since the last look is read at any byte
// again. The tail of a fast transfer waits for two milliseconds at most; how often that may happen
// to one stream, ReadPace decides.
//
// Owned by the Loop, on its thread. Costs nothing while no stream is fast.
class Coalescing final : public Loop::Extension {
 public:
  static constexpr Millis kLook{1};

  // A stream, as far as it matters here; takes itself out before it ends.
  class Member {
   public:
    // Called every millisecond while it is a member: whether to go on. False: it has left.
    virtual bool goes_on_coalescing() = 0;

   protected:
    ~Member() = default;
  };

  // That of the loop, made at the first call.
  [[nodiscard]] static Coalescing& of(Loop& loop);
  explicit Coalescing(Loop& loop) : timer_(loop, [this] { look(); }) {}

  void add(Member& member);
  void remove(Member& member);

 private:
  void look();

  std::vector<Member*> members_;
  Timer timer_;
};

}  // namespace tunnel::uv
