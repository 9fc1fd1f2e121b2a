// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "balance/target.h"
#include "base/clock.h"
#include "tls/session.h"
#include "tunnel/connection_record.h"
#include "tunnel/service_life.h"
#include "tunnel/service_tally.h"

namespace tunnel {

// What one connection adds to the counters of its service and of its target. Loop-bound; owned by
// the Connection.
class ConnectionTally {
 public:
  explicit ConnectionTally(ServiceLife& life) : life_(life) {}
  ConnectionTally(const ConnectionTally&) = delete;
  ConnectionTally& operator=(const ConnectionTally&) = delete;

  // A target was dialled in vain.
  void dial_failed(const PhaseTimes& times) { life_.tally.observe(times); }
  // It is open, so long after it was accepted. `session` is null without TLS. From now on, and
  // until leave(), the target must stay claimed.
  void established(const ConnectionRecord& record, balance::Target& target,
                   const tls::Session* session, Micros after);
  // Keeps the gauges of what is established.
  void move_to(Stage stage);
  void leave();
  // It is over, and the record complete.
  void closed(const ConnectionRecord& record);

 private:
  [[nodiscard]] SharedCounter& gauge() {
    return life_.tally.stages[static_cast<std::size_t>(*stage_)];
  }

  ServiceLife& life_;
  balance::TargetTally* target_ = nullptr;  // while it is established
  std::optional<Stage> stage_;              // as it is counted
};

}  // namespace tunnel
