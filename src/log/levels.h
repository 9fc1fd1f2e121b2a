// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "log/log.h"

namespace tunnel::log {

// Another level for some lines: those of one service, of some clients, or all. The last one given
// that fits a line decides.
struct LevelOverride {
  Level level = Level::debug;
  std::string service;         // empty: every line
  std::optional<Cidr> client;  // lines about connections of these clients only
};

// Which lines are written: one level for all, and overrides for some. Any thread; takes no lock
// while there is no override.
class Levels {
 public:
  explicit Levels(Level level) : level_(level), widest_(level) {}

  void set(Level level);
  void set_overrides(std::vector<LevelOverride> overrides);

  [[nodiscard]] Level level() const { return level_.load(); }
  [[nodiscard]] bool may_admit(Level level) const { return level <= widest_.load(); }
  [[nodiscard]] bool admit(Level level, const Subject& subject) const;

 private:
  void update();

  std::atomic<Level> level_;
  std::atomic<Level> widest_;  // of all levels in force
  std::atomic<bool> has_overrides_{false};
  mutable std::mutex mutex_;
  std::vector<LevelOverride> overrides_;  // under mutex_
};

}  // namespace tunnel::log
