// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "balance/backend.h"
#include "balance/health.h"
#include "base/clock.h"
#include "base/tally.h"
#include "tunnel/service_config.h"
#include "tunnel/service_tally.h"

namespace tunnel {

// The health of one target has changed: each worker looks which of its connections must go for it
// (health.on_ejected, balance_back).
struct TargetChange {
  std::uint64_t target = 0;  // balance::Target::id
  balance::Transition::Change change = balance::Transition::Change::none;
  balance::Transition::Source source = balance::Transition::Source::dial;
};

// Called only if it moves connections.
using OnTargetChange = std::function<void(const TargetChange&)>;

// No client is reset sooner after it was accepted: its connect(2) must have returned, or that would
// report a reset where it had reached us.
constexpr Millis kSoonestReset{10};

// Which service something is about, for as long as the process lives: never used for another one.
using ServiceId = std::uint64_t;

// What a service has learned and counted, which outlives the configurations that it has under the
// same name: its targets with their health, the turns of its policy, its connections. Shared by the
// snapshots, the workers and all that works for the service.
class ServiceLife final : public balance::SlotListener {
 public:
  ServiceLife(ServiceId unique, std::string called)
      : id(unique), name(std::move(called)), backend(this) {}
  ServiceLife(const ServiceLife&) = delete;
  ServiceLife& operator=(const ServiceLife&) = delete;

  const ServiceId id;
  const std::string name;

  // `listener` is called (on any thread) when a target has a free slot again while some connection
  // waits for one. Set before any worker knows the service.
  void report_free_slots(std::function<void(ServiceId)> listener) {
    on_slot_freed_ = std::move(listener);
  }
  // So many workers will serve it. Set before any worker knows the service.
  void count_on(std::size_t workers) {
    traffic = TrafficByWorker(workers);
    backend.count_on(workers);
  }
  void on_slot_freed() override {
    if (on_slot_freed_) return on_slot_freed_(id);
  }

  // Layouts are built on the supervisor's thread and sent to the workers.
  balance::Backend backend;

  // Accepted and not yet gone. The acceptor counts up, workers count down.
  std::atomic<std::uint32_t> connections{0};
  // Established before there is a client, and which workers (by a bit each) have one ready. Workers
  // write, the supervisor sends clients there.
  std::atomic<std::uint32_t> preconnected{0};
  SharedCounter preconnect_used, preconnect_missed;  // clients that got one, or found none ready
  std::atomic<std::uint64_t> ready_workers{0};
  // Connections that are over, and those of them that did not end in order.
  std::atomic<std::uint64_t> ended{0};
  std::atomic<std::uint64_t> failed{0};
  ServiceTally tally;
  // Changed credential files that were taken over, those that could not be, and when (in seconds
  // since 1970) the ones in force came that way. Supervisor writes.
  SharedCounter files_taken, files_refused;
  std::atomic<std::int64_t> files_taken_at{0};
  // Plaintext, also of the connections that are open.
  TrafficByWorker traffic;

 private:
  std::function<void(ServiceId)> on_slot_freed_;
};

// A service in one configuration, for whoever works for it: neither part goes while this is held.
struct ServiceHandle {
  std::shared_ptr<const ServiceConfig> config;
  std::shared_ptr<ServiceLife> life;

  [[nodiscard]] const config::Service& settings() const { return config->service; }
};

}  // namespace tunnel
