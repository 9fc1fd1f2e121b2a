// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "balance/random.h"
#include "base/clock.h"
#include "base/kind.h"

namespace tunnel::balance {

// Whose fault a failed dial was. Local causes (descriptors, `bind`, no route for a family, DNS, an
// unreachable proxy) say nothing about the target and never eject it.
enum class Cause { target, local };

enum class CheckResult { passed, failed };

// How much of a real dial a check goes through. Only a check that takes the whole path may clear
// an ejection: a `tcp` check of a TLS target succeeds although every dial fails.
enum class CheckDepth { full, shallow };

// Why a dial or a check failed: its word and its sentence, for people.
struct Reason {
  Kind kind = Kind::ok;
  std::string text;
};

// The numbers of a service's `health` table; a value.
struct HealthRules {
  Millis eject_time{5'000};  // 0: dial failures never eject
  Millis eject_max{60'000};
  bool has_check = false;
  int fall = 3;
  int rise = 2;
  friend bool operator==(const HealthRules&, const HealthRules&) = default;
};

// What a report changed. Exactly one caller gets each change, and logs it.
struct [[nodiscard]] Transition {
  enum class Change { none, ejected, restored };
  enum class Source { dial, check };
  Change change = Change::none;
  Source source = Source::dial;
  Millis duration{0};  // ejected by a dial: for how long; restored: how long the target was out
  unsigned times = 0;  // ejected by a dial: the how-manieth ejection in a row
};

// The health of one target, for all workers together.
//
// Two machines side by side; the target is up when both say so. Passive: a failed dial ejects; when
// the time has run out, one attempt at a time is let through on trial, while everybody else goes
// on seeing the target as ejected until an attempt succeeds: a black-holed target costs one
// connection one timeout, not every connection. Active: HAProxy's rise and fall counter.
//
// Any thread. Reading takes no lock. Changes are rare (not one per connection) and hold the mutex;
// this is the only class of the room that has one.
class Health {
 public:
  enum class State { up, trial, ejected };

  explicit Health(const HealthRules& rules) : rules_(rules) {}

  // trial: the ejection has run out and nobody is on trial; see take_trial.
  [[nodiscard]] State state(TimePoint now) const;
  // Neither ejected nor down, whatever the time.
  [[nodiscard]] bool is_up() const { return is_check_up_.load() && until_.load() == 0; }
  // When the ejection runs out; TimePoint::max() when only a check or a success can end it.
  [[nodiscard]] TimePoint ejected_until() const;
  // The number of ejections so far. An attempt remembers the number at its begin.
  [[nodiscard]] std::uint32_t epoch() const { return epoch_.load(); }

  // True: the caller's attempt is the one on trial, until it calls end_trial.
  [[nodiscard]] bool take_trial(TimePoint now);
  void end_trial() { is_on_trial_.store(false); }

  struct Success {
    Transition transition;
    unsigned cleared = 0;  // the ejections in a row that this success has forgiven
  };
  // A dial was established. Takes no lock when there is nothing to clear.
  [[nodiscard]] Success succeeded(TimePoint now);
  // A dial begun at `epoch` failed by the target's fault. `forgiven`: what its own earlier success
  // had cleared, when it failed after being established (TLS 1.3's late rejection), so that
  // the back-off goes on where it was.
  Transition failed(TimePoint now, std::uint32_t epoch, unsigned forgiven, Random& random,
                    const Reason& reason = {});
  Transition checked(TimePoint now, CheckResult result, CheckDepth depth,
                     const Reason& reason = {});

  // A reload changed the rules; what is known about the target stays.
  void set_rules(const HealthRules& rules);

  // Since when it is out, and what put it there last; nothing while it is up.
  struct Outage {
    TimePoint since{};
    Reason reason;
  };
  [[nodiscard]] std::optional<Outage> outage() const;
  // When its last outage ended; nothing where there was none.
  [[nodiscard]] std::optional<TimePoint> restored_at() const;

  // The check's state as in HAProxy's log: "UP", "UP 2/3", "DOWN 1/2", "no check".
  [[nodiscard]] std::string check_text() const;

 private:
  void begin_outage(TimePoint now, const Reason& reason);
  void end_outage();
  Transition clear(TimePoint now, Transition::Source source);

  // Read by every worker; written under mutex_, but for is_on_trial_.
  std::atomic<std::int64_t> until_{0};  // end of the ejection in clock milliseconds; 0: not ejected
  std::atomic<bool> is_check_up_{true};
  std::atomic<std::uint32_t> epoch_{0};
  std::atomic<bool> is_on_trial_{false};

  // Protected by mutex_.
  mutable std::mutex mutex_;
  HealthRules rules_;
  unsigned times_ = 0;  // ejections in a row
  int missing_ = 0;     // the counter's distance from its maximum, rise + fall - 1
  bool is_out_ = false;
  Outage outage_;  // while is_out_
  std::optional<TimePoint> restored_at_;
};

}  // namespace tunnel::balance
