// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "admin/admin_actions.h"
#include "tunnel/service_life.h"

namespace tunnel::runtime {

// The services that take no clients any more, by an operator's order, and the operators who wait
// until the last connection of theirs has gone. A service stays drained through reloads, until the
// process ends. Supervisor's loop; owned by the Administration.
class Drains {
 public:
  using OnVerdict = admin::AdminActions::OnVerdict;
  using Services = std::vector<std::shared_ptr<const ServiceLife>>;

  // `on_verdict` comes from look() or end().
  void add(Services services, OnVerdict on_verdict);
  // The others have left with their configuration. Their connections are still waited for.
  void keep_only(const std::set<ServiceId>& services);
  [[nodiscard]] const std::set<ServiceId>& services() const { return drained_; }
  [[nodiscard]] bool contains(ServiceId service) const { return drained_.contains(service); }
  [[nodiscard]] bool is_waited_for() const { return !waiting_.empty(); }

  // Answers those who wait for nothing more.
  void look();
  // The process ends: answers all, whatever is left.
  void end();

 private:
  struct Waiting {
    Services services;
    OnVerdict on_verdict;
  };

  std::set<ServiceId> drained_;
  std::vector<Waiting> waiting_;
};

}  // namespace tunnel::runtime
