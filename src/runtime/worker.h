// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "balance/random.h"
#include "base/result.h"
#include "log/log.h"
#include "runtime/beat.h"
#include "runtime/messages.h"
#include "runtime/pulse.h"
#include "tls/remembered.h"
#include "tunnel/address_book.h"
#include "tunnel/closed_connections.h"
#include "tunnel/service.h"
#include "uv/loop.h"
#include "uv/mailbox.h"
#include "uv/timer.h"

namespace tunnel::runtime {

// One thread with one loop and its share of every service's connections. Owned by the Supervisor,
// which talks to it through send() only; everything private belongs to the worker's thread once it
// runs. Serves what UseSnapshot says, which is to be its first message.
class Worker final : private uv::Deferred {
 public:
  struct Settings {
    std::size_t index = 0;                     // among all workers
    std::size_t workers = 1;                   // how many they are
    std::atomic<std::size_t>& connections;     // of the process
    const std::atomic<bool>& is_gone_wanted;   // the supervisor waits for connections to go
    std::function<void(ToSupervisor)> report;  // any thread
    log::Log& log;
    tls::Remembered& remembered;
    AddressHistory& address_history;
  };
  explicit Worker(Settings settings);
  ~Worker();  // joins
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  [[nodiscard]] Result<void> start();
  void send(ToWorker message) { mailbox_.send(std::move(message)); }  // any thread
  void join();
  [[nodiscard]] Pulse& pulse() { return pulse_; }
  [[nodiscard]] Beat& beat() { return beat_; }

  // Accepted clients that were handed to this worker and have not gone yet. Supervisor counts up.
  std::atomic<std::size_t> connections{0};

 private:
  // A service in its configurations: the one in force, unless the service is gone, and those of
  // connections that are older.
  using Generations = std::vector<std::unique_ptr<Service>>;

  void on_message(ToWorker message);
  void use(const Snapshot& snapshot);
  void use_targets(TargetsChanged changed);
  void use_captures(const UseCaptures::Recordings& recordings);
  void answer(const ConnectionsOrder& order);
  [[nodiscard]] Service& service_of(const ServiceHandle& handle);
  [[nodiscard]] std::size_t spares_of(const config::Service& service) const;
  void for_each(const std::function<void(Service&)>& visit);
  void for_each(ServiceId id, const std::function<void(Service&)>& visit);
  void connection_gone(const Service& service, const Connection& connection);
  void on_end_of_turn() override;
  void give_memory_back();

  const Settings settings_;
  uv::Loop loop_;
  AddressBook book_;
  balance::Random random_;
  std::vector<capture::Source> captures_;
  ClosedConnections closed_;
  std::unordered_map<ServiceId, Generations> services_;
  uv::Mailbox<ToWorker> mailbox_;
  Pulse pulse_;
  Beat beat_;
  std::size_t gone_since_trim_ = 0;
  std::size_t gone_at_last_look_ = 0;
  uv::Timer trim_timer_;
  std::thread thread_;
};

}  // namespace tunnel::runtime
