// SPDX-License-Identifier: MIT
#include "balance/claim.h"

#include <utility>

namespace tunnel::balance {

Claim Claim::take(Target& target, std::optional<std::uint32_t> limit, Mode mode, TimePoint now) {
  Claim claim;
  // The slot first, and not by adding and taking back: a count above the limit, if only for a
  // moment, would make the target look full to other workers.
  std::uint32_t count = target.in_flight_.load();
  do {
    if (limit && count >= *limit) return claim;
  } while (!target.in_flight_.compare_exchange_weak(count, count + 1));
  claim.target_ = &target;
  // Before the state is read: an ejection in between then does not count this attempt again.
  claim.epoch_ = target.health_.epoch();
  const Health::State state = target.health_.state(now);
  if (state == Health::State::trial) claim.is_trial_ = target.health_.take_trial(now);
  if (mode == Mode::usable && state != Health::State::up && !claim.is_trial_) claim.release();
  return claim;
}

Claim::Claim(Claim&& other) noexcept
    : target_(std::exchange(other.target_, nullptr)),
      epoch_(other.epoch_),
      forgiven_(other.forgiven_),
      is_trial_(std::exchange(other.is_trial_, false)) {}

Claim& Claim::operator=(Claim&& other) noexcept {
  if (this == &other) return *this;
  release();
  target_ = std::exchange(other.target_, nullptr);
  epoch_ = other.epoch_;
  forgiven_ = other.forgiven_;
  is_trial_ = std::exchange(other.is_trial_, false);
  return *this;
}

Transition Claim::established(TimePoint now) {
  const Health::Success success = target_->health_.succeeded(now);
  forgiven_ = success.cleared;
  end_trial();
  // Connections may wait on other workers for a target that can be chosen.
  if (success.transition.change == Transition::Change::restored) target_->waiters_.notify();
  return success.transition;
}

Transition Claim::failed(TimePoint now, Cause cause, Random& random, const Reason& reason) {
  Transition transition;
  if (cause == Cause::target) {
    transition = target_->health_.failed(now, epoch_, forgiven_, random, reason);
  }
  release();
  return transition;
}

void Claim::release() {
  if (target_ == nullptr) return;
  end_trial();
  // Once the count is down the target may be gone, its backend is not.
  Waiters& waiters = target_->waiters_;
  std::exchange(target_, nullptr)->in_flight_.fetch_sub(1);
  waiters.notify();
}

void Claim::end_trial() {
  if (std::exchange(is_trial_, false)) target_->health_.end_trial();
}

}  // namespace tunnel::balance
