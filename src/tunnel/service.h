// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "balance/layout.h"
#include "balance/random.h"
#include "base/address.h"
#include "base/fd.h"
#include "log/log.h"
#include "log/rate_limit.h"
#include "tunnel/address_book.h"
#include "tunnel/connection.h"
#include "tunnel/service_state.h"
#include "uv/loop.h"

namespace tunnel {

// One service's connections on one worker. Loop-bound; owned by the Worker.
class Service {
 public:
  // How the connection of a taken client ended, and to people why.
  using OnGone = std::function<void(const Outcome&)>;
  // `on_gone` is called once for each taken client when its connection is over and goes;
  // `on_target_changed` when a dial has ejected or restored a target, if that moves connections.
  Service(uv::Loop& loop, log::Log& log, AddressBook& book, tls::Remembered& remembered,
          ServiceState& state, balance::Random& random, OnGone on_gone,
          OnTargetChange on_target_changed);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  void take(Fd socket, const SocketAddress& client, std::uint64_t id);
  void stop_when_idle();
  void abort();
  // DNS (or the start) has given the targets in force from now on; `error` is why there are none,
  // when DNS has said so.
  void set_targets(std::shared_ptr<const balance::Layout> layout, std::string error);
  // A dial or a check, here or elsewhere, has ejected or restored a target.
  void target_changed(const TargetChange& change);
  // A target has a free slot again: the connections that wait look, oldest first.
  void on_slot_freed();

  // For its connections.
  [[nodiscard]] uv::Loop& loop() { return loop_; }
  [[nodiscard]] log::Log& log() { return log_; }
  [[nodiscard]] AddressBook& book() { return book_; }
  [[nodiscard]] tls::Remembered& remembered() { return remembered_; }
  [[nodiscard]] ServiceState& state() { return state_; }
  [[nodiscard]] const config::Service& config() const { return state_.config; }
  [[nodiscard]] log::RateLimit& dial_failures() { return dial_failures_; }
  [[nodiscard]] const std::shared_ptr<const balance::Layout>& layout() const { return layout_; }
  [[nodiscard]] bool has_srv() const;
  [[nodiscard]] const std::string& no_targets_error() const { return no_targets_error_; }
  [[nodiscard]] balance::Random& random() { return random_; }
  [[nodiscard]] std::uint32_t changes() const { return changes_; }  // of targets, so far
  // The connection leaves when it is idle if it stands behind where a new one would be served.
  void call_home(Connection& connection);
  void report_established(balance::Claim& claim);
  void report_failed(balance::Claim& claim, const DialFailure& failure, Sentence sentence);
  // An option in socket_options.`where` could not be set: said, but not for each connection.
  void report_option(std::string_view where, const std::string& text);
  void remove(Connection& connection);

 private:
  void announce(std::uint64_t target, const balance::Transition& transition);

  uv::Loop& loop_;
  log::Log& log_;
  AddressBook& book_;
  tls::Remembered& remembered_;
  ServiceState& state_;
  balance::Random& random_;
  const OnGone on_gone_;
  const OnTargetChange on_target_changed_;
  std::uint32_t changes_ = 0;
  std::shared_ptr<const balance::Layout> layout_;
  std::string no_targets_error_;
  log::RateLimit dial_failures_;
  log::RateLimit option_failures_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace tunnel
