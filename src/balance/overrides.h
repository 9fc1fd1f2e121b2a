// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "balance/arrangement.h"
#include "base/clock.h"

namespace tunnel::balance {

// What an operator has said about one target, in place of the configuration's word. A value.
struct Override {
  enum class What {
    drain,   // no new connections, whatever happens
    eject,   // treated as down: served only when nothing else can
    weight,  // another share
  };
  What what = What::drain;
  std::uint32_t weight = 0;  // for What::weight
  uid_t uid = 0;             // who said so
  pid_t pid = 0;
  std::optional<TimePoint> until{};  // reverts by itself then
  friend bool operator==(const Override&, const Override&) = default;
};

// The overrides of one service's targets: at most one each, the last one given. They are kept by
// what a target is called and the name its certificate must carry, so that they outlive an
// arrangement; a target that has left takes its override along. One thread.
class Overrides {
 public:
  struct Entry {
    std::string target;  // Endpoint::text
    std::string name;    // Endpoint::name
    Override override;
  };

  void set(const Endpoint& endpoint, const Override& override);
  void clear(const Endpoint& endpoint);
  // Ends those whose time is over; whether there was one.
  bool expire(TimePoint now);
  [[nodiscard]] std::optional<TimePoint> next_end() const;

  // Drops those of targets that are not in the arrangement, and names them.
  std::vector<std::string> keep_only(const Arrangement& arrangement);
  // The arrangement with the overrides applied.
  [[nodiscard]] Arrangement applied(Arrangement arrangement) const;
  [[nodiscard]] const Override* find(const Endpoint& endpoint) const;
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;  // in the order in which they were given first
};

}  // namespace tunnel::balance
