// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "balance/backend.h"
#include "config/model.h"
#include "tls/context.h"
#include "tunnel/dial.h"
#include "tunnel/relay.h"

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

// What all workers share of one service: its configuration and loaded credentials, constant after
// construction; its targets with their health; its count of connections. Owned by the Snapshot.
struct ServiceState final : public balance::SlotListener {
  // `slot_freed` is called (on any thread) when a target has a free slot again while some
  // connection waits for one.
  ServiceState(config::Service service, std::unique_ptr<const tls::Context> context,
               std::unique_ptr<const tls::Context> check_context, std::function<void()> slot_freed)
      : config(std::move(service)),
        tls(std::move(context)),
        check_tls(std::move(check_context)),
        on_slot_freed_(std::move(slot_freed)),
        backend(this) {
    dial.timeouts = config.timeouts;
    dial.keepalive = config.keepalive;
    dial.bind = config.bind;
    dial.tls = tls.get();
    dial.service = &config;
    if (config.tls) {
      dial.names = config.tls->name;
      dial.sni = config.tls->sni;
      dial.needs_name = config.tls->verify == config::Verify::full;
    }
    relay = {config.timeouts.idle, config.timeouts.half_close, config.on_truncation};
  }

  const config::Service config;
  const std::unique_ptr<const tls::Context> tls;        // null: plain TCP
  const std::unique_ptr<const tls::Context> check_tls;  // health.tls; null: checks use `tls`
  DialSettings dial;
  Relay::Settings relay;

  void on_slot_freed() override { return on_slot_freed_(); }

 private:
  const std::function<void()> on_slot_freed_;

 public:
  // Layouts are built on the supervisor's thread and sent to the workers.
  balance::Backend backend;

  // Whether a TargetChange moves any connection.
  [[nodiscard]] bool moves_connections() const {
    return config.health.on_ejected != config::OnEjected::keep ||
           config.balance_back != config::BalanceBack::keep;
  }

  // Accepted and not yet gone. The acceptor counts up, workers count down.
  std::atomic<std::uint32_t> connections{0};

  // Connections that are over, and those of them that did not end in order.
  std::atomic<std::uint64_t> ended{0};
  std::atomic<std::uint64_t> failed{0};

  // Its client is a program or standard input: it has one connection at a time, and wants to know
  // how that ended.
  [[nodiscard]] bool has_one_client() const {
    return !config.exec.empty() ||
           (!config.accept.empty() && config.accept.front().form == config::Accept::Form::stdio);
  }
};

}  // namespace tunnel
