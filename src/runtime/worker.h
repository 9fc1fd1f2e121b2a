// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "balance/random.h"
#include "log/log.h"
#include "runtime/messages.h"
#include "runtime/pulse.h"
#include "tls/remembered.h"
#include "tunnel/address_book.h"
#include "tunnel/service.h"
#include "tunnel/service_state.h"
#include "uv/loop.h"
#include "uv/mailbox.h"
#include "uv/timer.h"

namespace tunnel::runtime {

// One thread with one loop and its share of every service's connections. Owned by the Supervisor,
// which talks to it through send() only; everything private belongs to the worker's thread once it
// runs.
class Worker {
 public:
  struct Shared {
    const std::vector<std::unique_ptr<ServiceState>>& services;
    std::atomic<std::size_t>& connections;     // of the process
    const std::atomic<bool>& is_gone_wanted;   // somebody waits for connections to go
    std::function<void(ToSupervisor)> report;  // any thread
    log::Log& log;
    tls::Remembered& remembered;
    AddressHistory& address_history;
  };
  Worker(std::size_t index, Shared shared);
  ~Worker();  // joins
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void start();
  void send(ToWorker message) { mailbox_.send(std::move(message)); }  // any thread
  void join();
  [[nodiscard]] Pulse& pulse() { return pulse_; }

  // Accepted clients that were handed to this worker and have not gone yet. Supervisor counts up.
  std::atomic<std::size_t> connections{0};

 private:
  void on_message(ToWorker message);
  void connection_gone(std::size_t which, const Outcome& outcome);
  void give_memory_back();

  const std::size_t index_;
  const Shared shared_;
  uv::Loop loop_;
  AddressBook book_;
  balance::Random random_;
  std::vector<std::unique_ptr<Service>> services_;
  uv::Mailbox<ToWorker> mailbox_;
  Pulse pulse_;
  std::size_t gone_since_trim_ = 0;
  std::size_t gone_at_last_look_ = 0;
  uv::Timer trim_timer_;
  std::thread thread_;
};

}  // namespace tunnel::runtime
