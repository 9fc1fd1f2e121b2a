// SPDX-License-Identifier: MIT
#include "balance/walk.h"

#include <algorithm>
#include <utility>

#include "balance/hash.h"
#include "balance/policy.h"

namespace tunnel::balance {

namespace {

// Somebody else's attempt is deciding about a target at the moment; look again after this.
constexpr Millis kTrialPatience{1'000};

bool is_usable(const Member& member, TimePoint now) {
  return !member.is_out && member.target->health().state(now) != Health::State::ejected;
}

}  // namespace

Walk::Walk(std::shared_ptr<const Layout> layout, const SocketAddress& client, Random& random)
    : layout_(std::move(layout)), client_hash_(client_hash(client)), random_(random) {}

Walk::~Walk() { set_waiting(false); }

// Two rounds at most. What cannot be claimed at first may be given back before this walk counts as
// waiting, and then nothing would wake it: so it counts itself and looks once more before it waits.
// Ejected targets are claimed only when no healthy one is merely full, for that one is worth
// waiting for.
Walk::Next Walk::next(TimePoint now) {
  for (;;) {
    Claim claim = claim_anywhere(Claim::Mode::usable, now);
    const Rest rest = claim ? Rest{} : survey(now);
    if (!claim && !rest.has_full) claim = claim_anywhere(Claim::Mode::panic, now);
    if (claim) {
      set_waiting(false);
      // By id: the target itself may leave the layout while it is dialled.
      tried_.push_back(claim.target().id());
      return {.step = Step::claimed, .claim = std::move(claim), .retry_at = {}};
    }
    if (!rest.has_full && !rest.has_ejected) {
      set_waiting(false);
      return {};
    }
    if (is_waiting_) return {.step = Step::wait, .claim = {}, .retry_at = rest.retry_at};
    set_waiting(true);  // and look once more: see Waiters
  }
}

void Walk::move_to(std::shared_ptr<const Layout> layout) { layout_ = std::move(layout); }

Claim Walk::claim_anywhere(Claim::Mode mode, TimePoint now) {
  for (const Group& group : layout_->groups()) {
    if (Claim claim = claim_in(group, mode, now)) return claim;
  }
  return {};
}

Claim Walk::claim_in(const Group& group, Claim::Mode mode, TimePoint now) {
  for (;;) {
    eligible_.clear();
    for (const Member& member : group.members) {
      eligible_.push_back(is_left(member) && member.has_room() &&
                          (mode == Claim::Mode::panic || is_usable(member, now)));
    }
    const auto index = pick(layout_->policy(), group, eligible_, client_hash_, random_);
    if (!index) return {};
    const Member& member = group.members[*index];
    Claim claim = Claim::take(*member.target, member.max_connections, mode, now);
    if (claim) return claim;
    // Another worker was faster: look at the group as it is now.
  }
}

// Called when no usable target could be claimed.
Walk::Rest Walk::survey(TimePoint now) const {
  Rest rest;
  for (const Group& group : layout_->groups()) {
    for (const Member& member : group.members) {
      if (!is_left(member)) continue;
      if (is_usable(member, now)) {
        rest.has_full = true;
        continue;
      }
      rest.has_ejected = true;
      const Health& health = member.target->health();
      if (member.is_out && health.is_up()) continue;  // its operator decides, and wakes us
      const TimePoint until = health.ejected_until();
      if (until == TimePoint::max()) continue;  // its checks decide, and wake us
      const TimePoint again = until > now ? until : now + kTrialPatience;
      rest.retry_at = std::min(again, rest.retry_at.value_or(again));
    }
  }
  return rest;
}

// Not drained, and not tried by this walk.
bool Walk::is_left(const Member& member) const {
  return member.weight > 0 &&
         std::find(tried_.begin(), tried_.end(), member.target->id()) == tried_.end();
}

bool Walk::has_left() const {
  return std::any_of(layout_->groups().begin(), layout_->groups().end(), [&](const Group& group) {
    return std::any_of(group.members.begin(), group.members.end(),
                       [&](const Member& member) { return is_left(member); });
  });
}

void Walk::set_waiting(bool is_waiting) {
  if (is_waiting == is_waiting_) return;
  is_waiting_ = is_waiting;
  if (is_waiting) {
    layout_->waiters().enter();
  } else {
    layout_->waiters().leave();
  }
}

}  // namespace tunnel::balance
