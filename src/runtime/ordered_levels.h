// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <vector>

#include "admin/admin_actions.h"
#include "log/process_log.h"

namespace tunnel::runtime {

// The levels of the log that operators have ordered over the configuration's: at most one for each
// choice of service and clients, the last one. Supervisor's loop; owned by the Administration.
class OrderedLevels {
 public:
  struct Entry {
    admin::AdminActions::LevelOrder order;
    admin::Operator by;
    std::optional<TimePoint> until{};  // reverts by itself then
  };
  // `log` must outlive it.
  explicit OrderedLevels(log::ProcessLog& log) : log_(log) {}

  void set(const admin::AdminActions::LevelOrder& order, const admin::Operator& by, TimePoint now);
  // Ends those whose time is over.
  void expire(TimePoint now);
  [[nodiscard]] std::optional<TimePoint> next_end() const;
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  void put_in_force();

  log::ProcessLog& log_;
  std::vector<Entry> entries_;  // the last one given stands last, and wins
};

}  // namespace tunnel::runtime
