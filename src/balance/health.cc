// SPDX-License-Identifier: MIT
#include "balance/health.h"

#include <algorithm>

namespace tunnel::balance {

namespace {

constexpr double kJitter = 0.2;

std::int64_t millis(TimePoint time) { return time.time_since_epoch().count(); }

// The ejection time before jitter: doubled for each ejection in a row, up to the maximum.
Millis back_off(const HealthRules& rules, unsigned times) {
  const Millis longest = std::max(rules.eject_max, rules.eject_time);
  Millis time = rules.eject_time;
  for (unsigned i = 1; i < times && time < longest; ++i) time *= 2;
  return std::min(time, longest);
}

}  // namespace

Health::State Health::state(TimePoint now) const {
  if (!is_check_up_.load()) return State::ejected;
  const std::int64_t until = until_.load();
  if (until == 0) return State::up;
  // While one attempt is on trial the target is out for all others: if it is a black hole, that
  // costs one connection its timeout and not all of them.
  if (millis(now) < until || is_on_trial_.load()) return State::ejected;
  return State::trial;
}

TimePoint Health::ejected_until() const {
  if (!is_check_up_.load()) return TimePoint::max();
  return TimePoint(Millis(until_.load()));
}

bool Health::take_trial(TimePoint now) {
  if (is_on_trial_.exchange(true)) return false;
  // The caller saw state() earlier; another's trial may have begun and ended in between.
  const std::int64_t until = until_.load();
  if (is_check_up_.load() && until != 0 && millis(now) >= until) return true;
  end_trial();
  return false;
}

Health::Success Health::succeeded(TimePoint now) {
  // The way of nearly every connection: no lock, and no writing to what all workers read.
  if (until_.load() == 0) return {};
  const std::lock_guard lock(mutex_);
  Success success;
  success.cleared = times_;
  if (times_ > 0) success.transition = clear(now, Transition::Source::dial);
  return success;
}

Transition Health::failed(TimePoint now, std::uint32_t epoch, unsigned forgiven, Random& random,
                          const Reason& reason) {
  const std::lock_guard lock(mutex_);
  if (rules_.eject_time <= Millis(0)) return {};
  // Begun before the present ejection, so it tells nothing new; or that ejection still runs, so
  // the attempt was made only because everything is ejected.
  if (epoch != epoch_.load() || millis(now) < until_.load()) return {};
  times_ = std::max(times_, forgiven) + 1;
  const double jittered = static_cast<double>(back_off(rules_, times_).count()) *
                          random.between(1 - kJitter, 1 + kJitter);
  const Millis duration = std::max(Millis(1), Millis(static_cast<std::int64_t>(jittered)));
  until_.store(millis(now + duration));
  epoch_.fetch_add(1);
  if (!is_check_up_.load()) return {};  // it was out before and is out after
  begin_outage(now, reason);
  return {.change = Transition::Change::ejected,
          .source = Transition::Source::dial,
          .duration = duration,
          .times = times_};
}

Transition Health::checked(TimePoint now, CheckResult result, CheckDepth depth,
                           const Reason& reason) {
  const std::lock_guard lock(mutex_);
  // The counter of HAProxy: it goes from 0 to rise + fall - 1 and is up from `rise` on; crossing
  // the line takes it to the end of its scale, so that each change must be earned anew.
  const int max = rules_.rise + rules_.fall - 1;
  const bool was_up = is_check_up_.load();
  int health = max - missing_;
  if (result == CheckResult::passed) {
    if (health < max) ++health;
    if (health >= rules_.rise) health = max;
  } else {
    if (health > 0) --health;
    if (health < rules_.rise) health = 0;
  }
  // Kept as the distance from the top, so that it means the same when a reload changes rise and
  // fall.
  missing_ = max - health;
  const bool is_up = health >= rules_.rise;
  is_check_up_.store(is_up);

  if (was_up && !is_up) {
    begin_outage(now, reason);
    return {.change = Transition::Change::ejected, .source = Transition::Source::check};
  }
  // A check that takes the whole way proves what a dial would, so it ends an ejection before its
  // time.
  const bool clears = result == CheckResult::passed && depth == CheckDepth::full && times_ > 0;
  const bool comes_up = is_up && !was_up && times_ == 0;
  if (clears || comes_up) return clear(now, Transition::Source::check);
  return {};
}

void Health::set_rules(const HealthRules& rules) {
  const std::lock_guard lock(mutex_);
  if (rules == rules_) return;
  rules_ = rules;
  // Without checks nothing would bring it up again.
  if (!rules_.has_check) is_check_up_.store(true);
  missing_ = is_check_up_.load() ? 0 : rules_.rise + rules_.fall - 1;
  if (is_check_up_.load() && times_ == 0) end_outage();
}

std::optional<Health::Outage> Health::outage() const {
  const std::lock_guard lock(mutex_);
  return is_out_ ? std::optional(outage_) : std::nullopt;
}

std::optional<TimePoint> Health::restored_at() const {
  const std::lock_guard lock(mutex_);
  return restored_at_;
}

std::string Health::check_text() const {
  const std::lock_guard lock(mutex_);
  if (!rules_.has_check) return "no check";
  const int health = rules_.rise + rules_.fall - 1 - missing_;
  if (missing_ == 0) return "UP";
  if (health == 0) return "DOWN";
  if (health >= rules_.rise) {
    return "UP " + std::to_string(health - rules_.rise + 1) + "/" + std::to_string(rules_.fall);
  }
  return "DOWN " + std::to_string(health) + "/" + std::to_string(rules_.rise);
}

// One that is ejected again after its trial has been out all the time.
void Health::begin_outage(TimePoint now, const Reason& reason) {
  outage_.reason = reason;
  if (!is_out_) outage_.since = now;
  is_out_ = true;
}

void Health::end_outage() {
  is_out_ = false;
  outage_ = {};
}

// Ends the ejection; the target is restored if its checks agree.
Transition Health::clear(TimePoint now, Transition::Source source) {
  until_.store(0);
  times_ = 0;
  if (!is_check_up_.load() || !is_out_) return {};
  const Millis out = now - outage_.since;
  end_outage();
  restored_at_ = now;
  return {.change = Transition::Change::restored, .source = source, .duration = out};
}

}  // namespace tunnel::balance
