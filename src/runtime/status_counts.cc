// SPDX-License-Identifier: MIT
#include "runtime/status_counts.h"

namespace tunnel::runtime {
namespace {

std::vector<admin::KindCount> counts_of(const KindCounters& counters) {
  std::vector<admin::KindCount> counts;
  for (std::size_t kind = 0; kind < counters.size(); ++kind) {
    const std::uint64_t count = counters[kind].value();
    const auto as_kind = static_cast<Kind>(kind);
    if (count > 0 || as_kind == Kind::ok) counts.push_back({tunnel::word(as_kind), count});
  }
  return counts;
}

std::vector<admin::HandshakeCount> counts_of(const HandshakeTally& tally) {
  std::vector<admin::HandshakeCount> counts;
  for (std::size_t version = 0; version < HandshakeTally::kVersions.size(); ++version) {
    for (std::size_t group = 0; group < HandshakeTally::kGroups.size(); ++group) {
      for (const bool is_resumed : {false, true}) {
        const std::uint64_t count = tally.count(version, group, is_resumed);
        if (count == 0) continue;
        counts.push_back({HandshakeTally::kVersions[version], HandshakeTally::kGroups[group],
                          is_resumed, count});
      }
    }
  }
  return counts;
}

// A plain service may speak TLS in its checks.
tls::Context::Ends ends_of(const ServiceConfig& service) {
  if (service.tls) return service.tls->ends();
  return service.check_tls ? service.check_tls->ends() : tls::Context::Ends{};
}

}  // namespace

std::vector<admin::KindCount> counts_of(const dns::Names::Counts& answers) {
  std::vector<admin::KindCount> counts;
  for (std::size_t status = 0; status < answers.size(); ++status) {
    counts.push_back({dns::word(static_cast<dns::Status>(status)), answers[status]});
  }
  return counts;
}

admin::ServiceCounts counts_of(const ServiceHandle& service) {
  const ServiceLife& life = *service.life;
  const ServiceTally& tally = life.tally;
  const tls::Context::Ends ends = ends_of(*service.config);
  const auto stage = [&](Stage which) {
    return tally.stages[static_cast<std::size_t>(which)].value();
  };
  return {.denied = tally.closed[static_cast<std::size_t>(Kind::client_denied)].value(),
          .closed = counts_of(tally.closed),
          .open = stage(Stage::open),
          .half_closed = stage(Stage::half_closed),
          .draining = stage(Stage::draining),
          .resolve = tally.resolve.read(),
          .connect = tally.connect.read(),
          .preamble = tally.preamble.read(),
          .tls = tally.tls.read(),
          .dial = tally.dial.read(),
          .tries = tally.tries.read(),
          .duration = tally.duration.read(),
          .checks = tally.checks.read(),
          .handshakes = counts_of(tally.handshakes),
          .client_not_after = ends.client,
          .ca_not_after = ends.ca,
          .crl_next_update = ends.crl,
          .file_reloads = {},
          .preconnect_used = life.preconnect_used.value(),
          .preconnect_missed = life.preconnect_missed.value()};
}

admin::TargetCounts counts_of(const balance::Target& target) {
  const balance::TargetTally& tally = target.tally();
  return {.target = target.id(),
          .open = tally.open.value(),
          .connections = tally.connections.value(),
          .bytes_up = tally.traffic.up(),
          .bytes_down = tally.traffic.down(),
          .ejections = target.health().epoch(),
          .checks_passed = tally.checks_passed.value(),
          .checks_failed = tally.checks_failed.value(),
          .failures = counts_of(tally.failures)};
}

admin::TargetCounts counts_of(const balance::Backend::Past& past) {
  admin::TargetCounts counts{.connections = past.connections,
                             .bytes_up = past.bytes_up,
                             .bytes_down = past.bytes_down,
                             .ejections = past.ejections,
                             .checks_passed = past.checks_passed,
                             .checks_failed = past.checks_failed,
                             .failures = {}};
  for (std::size_t kind = 0; kind < past.failures.size(); ++kind) {
    if (past.failures[kind] == 0) continue;
    counts.failures.push_back({tunnel::word(static_cast<Kind>(kind)), past.failures[kind]});
  }
  return counts;
}

}  // namespace tunnel::runtime
