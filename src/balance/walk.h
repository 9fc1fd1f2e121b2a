// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "balance/claim.h"
#include "balance/layout.h"
#include "balance/random.h"
#include "base/address.h"

namespace tunnel::balance {

// One dial's way through the targets of a service: each target at most once, in the order that
// groups, policy and health give. Made when a connection was accepted, owned by its dialer, one
// thread; takes no lock.
//
// Order: the first group in which a target can be chosen serves, and the policy chooses among
// those. A target can be chosen when it is not drained, not tried by this walk, healthy (or due for
// its trial), and below its max_connections, attempts in flight included. When a healthy target is
// full, the walk waits. When no healthy target is left, the ejected ones are tried anyway, in the
// same order: a tunnel never refuses while something may work.
class Walk {
 public:
  // `random` is the worker's and must outlive the walk.
  Walk(std::shared_ptr<const Layout> layout, const SocketAddress& client, Random& random);
  ~Walk();
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

  enum class Step {
    claimed,    // try `claim`'s target
    wait,       // every target that is left is full: ask again when SlotListener says so, or at
                // `retry_at`, whichever is first; until timeouts.dial
    exhausted,  // every target was tried, or there is none
  };
  struct Next {
    Step step = Step::exhausted;
    Claim claim;
    std::optional<TimePoint> retry_at;  // an ejected target may be tried again by then
  };
  [[nodiscard]] Next next(TimePoint now);

  // DNS or a reload changed the layout while the dial is under way: what was tried stays tried.
  void move_to(std::shared_ptr<const Layout> layout);

  [[nodiscard]] bool is_waiting() const { return is_waiting_; }
  // Some target has not been tried yet.
  [[nodiscard]] bool has_left() const;

 private:
  // What is left when nothing can be claimed.
  struct Rest {
    bool has_full = false;     // usable, but without a free slot
    bool has_ejected = false;  // not usable
    std::optional<TimePoint> retry_at;
  };

  [[nodiscard]] Claim claim_in(const Group& group, Claim::Mode mode, TimePoint now);
  [[nodiscard]] Claim claim_anywhere(Claim::Mode mode, TimePoint now);
  [[nodiscard]] Rest survey(TimePoint now) const;
  [[nodiscard]] bool is_left(const Member& member) const;
  void set_waiting(bool is_waiting);

  std::shared_ptr<const Layout> layout_;
  std::uint64_t client_hash_;
  Random& random_;
  std::vector<std::uint64_t> tried_;  // ids
  std::vector<char> eligible_;        // scratch of claim_in
  bool is_waiting_ = false;
};

}  // namespace tunnel::balance
