// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <utility>

#include "config/model.h"
#include "tls/context.h"
#include "tunnel/dial.h"
#include "tunnel/relay.h"

namespace tunnel {

// One service as one configuration has it: its settings and loaded credentials. Immutable, any
// thread. Shared by the snapshots that have it in force and by everything that was begun with it:
// a connection keeps the settings of its first moment, whatever is reloaded meanwhile.
struct ServiceConfig {
  using Context = std::shared_ptr<const tls::Context>;

  ServiceConfig(config::Service settings, Context context, Context check_context)
      : service(std::move(settings)),
        tls(std::move(context)),
        check_tls(std::move(check_context)),
        dial(dial_settings()),
        relay{service.timeouts.idle, service.timeouts.half_close, service.on_truncation} {}
  ServiceConfig(const ServiceConfig&) = delete;
  ServiceConfig& operator=(const ServiceConfig&) = delete;

  const config::Service service;
  const Context tls;        // null: plain TCP
  const Context check_tls;  // health.tls; null: checks use `tls`
  const DialSettings dial;  // points into this object
  const Relay::Settings relay;

  // Whether a TargetChange moves any connection.
  [[nodiscard]] bool moves_connections() const {
    return service.health.on_ejected != config::OnEjected::keep ||
           service.balance_back != config::BalanceBack::keep;
  }
  // Its client is a program or standard input: it has one connection at a time, and wants to know
  // how that ended.
  [[nodiscard]] bool has_one_client() const { return !service.exec.empty() || is_on_stdio(); }
  [[nodiscard]] bool is_on_stdio() const {
    return !service.accept.empty() && service.accept.front().form == config::Accept::Form::stdio;
  }

 private:
  [[nodiscard]] DialSettings dial_settings() const {
    DialSettings settings;
    settings.timeouts = service.timeouts;
    settings.keepalive = service.keepalive;
    settings.bind = service.bind;
    settings.tls = tls.get();
    settings.service = &service;
    if (service.tls) {
      settings.names = service.tls->name;
      settings.sni = service.tls->sni;
      settings.needs_name = service.tls->verify == config::Verify::full;
    }
    return settings;
  }
};

}  // namespace tunnel
