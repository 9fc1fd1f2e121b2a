// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "balance/layout.h"
#include "log/log.h"
#include "tunnel/dial_settings.h"
#include "tunnel/health_log.h"
#include "tunnel/service_life.h"
#include "tunnel/surroundings.h"
#include "tunnel/visit.h"
#include "uv/loop.h"
#include "uv/timer.h"

namespace tunnel {

// How the checks of a service dial: one of a plain service speaks TLS as `health.tls` says; a `tcp`
// check never does.
[[nodiscard]] DialSettings check_settings(const ServiceConfig& service);

// Checks one target again and again by visits, and tells the target's health. Lives on the
// supervisor's loop; owned by its service's HealthChecks.
class HealthCheck final : public Visit::Owner {
 public:
  // `on_change` must outlive it.
  HealthCheck(const Surroundings& surroundings, ServiceHandle service,
              std::shared_ptr<balance::Target> target, const OnTargetChange& on_change);
  ~HealthCheck();
  HealthCheck(const HealthCheck&) = delete;
  HealthCheck& operator=(const HealthCheck&) = delete;

  [[nodiscard]] const balance::Target& target() const { return *target_; }
  void set_choice(Choice choice) { choice_ = choice; }

 private:
  void schedule();
  void begin();
  void announce(const balance::Transition& transition);
  void passed();
  void failed(const Failure& failure);
  void on_visited(const Failure& failure) override;
  void on_visit_secured(const tls::Session& session) override;

  uv::Loop& loop_;
  log::Log& log_;
  AddressBook& book_;
  balance::Random& random_;
  const ServiceHandle service_;  // what is below points into it
  const std::shared_ptr<balance::Target> target_;
  const OnTargetChange& on_change_;
  const config::Health& rules_;
  const DialSettings settings_;

  Choice choice_ = Choice::one_of_several;  // for the log
  uv::Timer timer_;                         // until the next visit
  std::unique_ptr<Visit> visit_;            // the last one; over while the timer runs
  Stopwatch in_visit_;                      // since that began
};

// The checks of one service in one configuration: one for each target of the layout in force.
// Supervisor's loop; owned by the Supervisor.
class HealthChecks {
 public:
  HealthChecks(const Surroundings& surroundings, ServiceHandle service, OnTargetChange on_change);
  ~HealthChecks();
  HealthChecks(const HealthChecks&) = delete;
  HealthChecks& operator=(const HealthChecks&) = delete;

  [[nodiscard]] const ServiceHandle& service() const { return service_; }
  // Does nothing for a service without `health.check`.
  void set_layout(std::shared_ptr<const balance::Layout> layout);

 private:
  const Surroundings surroundings_;
  const ServiceHandle service_;
  const OnTargetChange on_change_;
  std::vector<std::unique_ptr<HealthCheck>> checks_;
};

}  // namespace tunnel
