// SPDX-License-Identifier: MIT
#include "tunnel/connection_tally.h"

#include "tunnel/identity_note.h"

namespace tunnel {

void ConnectionTally::established(const ConnectionRecord& record, balance::Target& target,
                                  const tls::Session* session, Micros after) {
  ServiceTally& its = life_.tally;
  its.observe(record.times);
  its.dial.observe(seconds(after));
  target_ = &target.tally();
  target_->connections.add();
  target_->open.add();
  move_to(Stage::open);
  if (session == nullptr) return;
  its.handshakes.add(record.negotiated);
  return note_identity(target_->identity, *session);
}

void ConnectionTally::move_to(Stage stage) {
  if (stage_ == stage) return;
  if (stage_) gauge().subtract();
  stage_ = stage;
  gauge().add();
}

// Called from each way out; only the first time counts.
void ConnectionTally::leave() {
  if (!stage_) return;
  gauge().subtract();
  stage_.reset();
  target_->open.subtract();
  target_ = nullptr;
}

void ConnectionTally::closed(const ConnectionRecord& record) {
  life_.ended.fetch_add(1, std::memory_order_relaxed);
  life_.tally.closed[static_cast<std::size_t>(record.outcome.kind)].add();
  if (record.tries > 0) life_.tally.tries.observe(record.tries);
  life_.tally.duration.observe(static_cast<double>(record.total.count()) / 1000);
  if (record.outcome.has_failed()) life_.failed.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace tunnel
