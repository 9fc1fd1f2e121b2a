// SPDX-License-Identifier: MIT
#include "tunnel/connection_tally.h"

#include <cstdint>
#include <ctime>

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
  return note_certificate(record, *session);
}

// When a certificate expires is looked at again now and then only: that reads the certificate.
void ConnectionTally::note_certificate(const ConnectionRecord& record,
                                       const tls::Session& session) {
  constexpr std::int64_t kSeldom = 60;
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  if (now - target_->not_after_noted.load(std::memory_order_relaxed) < kSeldom) return;
  target_->not_after_noted.store(now, std::memory_order_relaxed);
  target_->not_after.store(session.certificate_not_after(), std::memory_order_relaxed);
  target_->chain_not_after.store(record.negotiated.path_until, std::memory_order_relaxed);
  target_->tls_version.store(record.negotiated.version.data(), std::memory_order_relaxed);
  target_->ocsp_until.store(record.negotiated.ocsp_until, std::memory_order_relaxed);
}

void ConnectionTally::move_to(Stage stage) {
  if (stage_ == stage) return;
  if (stage_) gauge().subtract();
  stage_ = stage;
  gauge().add();
}

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
