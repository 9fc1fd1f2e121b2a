// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "balance/layout.h"
#include "base/address.h"
#include "base/fd.h"
#include "capture/taps.h"
#include "log/log.h"
#include "log/rate_limit.h"
#include "tunnel/connection.h"
#include "tunnel/connection_view.h"
#include "tunnel/reserve.h"
#include "tunnel/service_life.h"
#include "tunnel/surroundings.h"
#include "uv/loop.h"

namespace tunnel {

// The connections on one worker that a service has in one of its configurations. A reload that
// changes the service makes another one for the clients that come from then on; this one retires
// and goes with its last connection. Loop-bound; owned by the Worker.
class Service {
 public:
  struct Settings {
    ServiceHandle service;
    Surroundings surroundings;
    tls::Remembered& remembered;
    // Called once for each taken client when its connection is over and goes.
    std::function<void(const Service&, const Connection&)> on_gone;
    // Called when a dial has ejected or restored a target, if that moves connections.
    OnTargetChange on_target_changed;
    // This worker's share of `preconnect`, and its bit in ServiceLife::ready_workers.
    std::size_t spares = 0;
    std::uint64_t worker_bit = 0;
  };
  explicit Service(Settings settings);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  void take(Fd socket, const SocketAddress& client, std::uint64_t id);
  void stop_when_idle();
  void abort();
  // No further clients are expected: nothing is kept ready for them.
  void stop_preconnecting();
  // DNS (or the start) has given the targets in force from now on; `error` is why there are none,
  // when DNS has said so.
  void set_targets(std::shared_ptr<const balance::Layout> layout, std::string error);
  // A dial or a check, here or elsewhere, has ejected or restored a target.
  void target_changed(const TargetChange& change);
  // A target has a free slot again: the connections that wait look, oldest first.
  void on_slot_freed();
  // Its configuration is not in force any more: no client follows.
  void retire();
  // The service has gone with its configuration: on_removed decides about its connections.
  void see_off_all();
  // The same for those whose target the new configuration of the service does not have.
  void see_off_removed(const balance::Layout& in_force);
  [[nodiscard]] bool is_over() const { return is_retired_ && connections_.empty(); }

  // These captures are in force, for all connections from now on; others are not any more.
  void use_captures(const std::vector<capture::Source>& captures);

  // For people who look.
  void describe(std::vector<ConnectionView>& views) const;
  // Ends connections for an operator: one, or all of some targets. How many.
  struct Choosing {
    std::optional<std::uint64_t> connection{};
    std::vector<std::uint64_t> targets{};
    std::optional<Millis> idle{};
  };
  std::size_t end_some(const Choosing& choosing);

  // For its connections.
  [[nodiscard]] uv::Loop& loop() { return settings_.surroundings.loop; }
  [[nodiscard]] log::Log& log() { return settings_.surroundings.log; }
  [[nodiscard]] AddressBook& book() { return settings_.surroundings.book; }
  [[nodiscard]] tls::Remembered& remembered() { return settings_.remembered; }
  [[nodiscard]] const ServiceHandle& handle() const { return settings_.service; }
  [[nodiscard]] const config::Service& config() const { return settings_.service.settings(); }
  [[nodiscard]] log::RateLimit& dial_failures() { return dial_failures_; }
  [[nodiscard]] const std::shared_ptr<const balance::Layout>& layout() const { return layout_; }
  [[nodiscard]] bool has_srv() const;
  [[nodiscard]] const std::vector<capture::Source>& captures() const { return captures_; }
  [[nodiscard]] const std::string& no_targets_error() const { return no_targets_error_; }
  [[nodiscard]] Traffic& traffic() {
    return settings_.service.life->traffic.of(settings_.surroundings.worker);
  }
  [[nodiscard]] Traffic& traffic(balance::Target& target) {
    return target.tally().traffic.of(settings_.surroundings.worker);
  }
  [[nodiscard]] balance::Random& random() { return settings_.surroundings.random; }
  [[nodiscard]] std::uint32_t changes() const { return changes_; }  // of targets, so far
  // A connection that is established already, if one is ready.
  [[nodiscard]] std::optional<Spare::Handed> take_preconnected();
  // The connection leaves when it is idle if it stands behind where a new one would be served.
  void call_home(Connection& connection);
  void report_established(balance::Claim& claim);
  void report_failed(balance::Claim& claim, const DialFailure& failure, Sentence sentence);
  // An option of a socket could not be set: said, but not for each connection.
  void report_option(const std::string& text);
  void remove(Connection& connection);

 private:
  void see_off(Connection& connection);
  void announce(std::uint64_t target, const balance::Transition& transition);

  const Settings settings_;  // first: what is below refers to the service's life
  bool is_retired_ = false;
  std::uint32_t changes_ = 0;
  std::vector<capture::Source> captures_;  // of this service
  std::shared_ptr<const balance::Layout> layout_;
  std::string no_targets_error_;
  log::RateLimit dial_failures_;
  log::RateLimit option_failures_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::unique_ptr<Reserve> reserve_;  // null: nothing is kept ready
};

}  // namespace tunnel
