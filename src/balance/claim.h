// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "balance/target.h"

namespace tunnel::balance {

// One slot of one target: first an attempt's, then, when the attempt is established, its
// connection's. Got from Walk::next, moved on to the connection, given back by the destructor.
// Keeps its Target alive; the Backend must outlive it. Belongs to one worker at a time.
class Claim {
 public:
  // usable: ejected targets are refused, one whose time has run out is taken on trial if nobody
  // else has it. panic: health does not matter.
  enum class Mode { usable, panic };

  Claim() = default;  // holds nothing
  // A slot of `target`, or nothing when it has none free (`limit` slots; nullopt: as many as one
  // likes) or is not usable.
  [[nodiscard]] static Claim take(Target& target, std::optional<std::uint32_t> limit, Mode mode,
                                  TimePoint now);
  Claim(Claim&& other) noexcept;
  Claim& operator=(Claim&& other) noexcept;
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim() { release(); }

  [[nodiscard]] explicit operator bool() const { return target_ != nullptr; }
  [[nodiscard]] Target& target() const { return *target_; }

  // The dial is established: health is told, the slot is now the connection's.
  Transition established(TimePoint now);
  // The dial failed, before or (TLS 1.3's late rejection) shortly after it was established.
  // Gives the slot back.
  Transition failed(TimePoint now, Cause cause, Random& random, const Reason& reason = {});
  // Gives the slot back without a verdict: the connection has ended, or its client has gone while
  // the dial was under way.
  void release();

 private:
  void end_trial();

  Target* target_ = nullptr;
  std::uint32_t epoch_ = 0;
  unsigned forgiven_ = 0;
  bool is_trial_ = false;
};

}  // namespace tunnel::balance
