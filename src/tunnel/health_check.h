// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "balance/layout.h"
#include "log/log.h"
#include "preamble/preamble.h"
#include "tunnel/channel.h"
#include "tunnel/dial.h"
#include "tunnel/health_log.h"
#include "tunnel/service_life.h"
#include "tunnel/surroundings.h"
#include "uv/loop.h"
#include "uv/timer.h"

namespace tunnel {

// Checks one target again and again over the real path: dials it as a client's connection would be
// dialled, asks the check's question, ends politely, and tells the target's health. Lives on the
// supervisor's loop; owned by its service's HealthChecks.
class HealthCheck final : public Dial::Owner, public Channel::Reader, public Channel::Writer {
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
  // Asking: the check's question is open. Leaving: our close_notify (or FIN) is out, and what the
  // server says until its own end decides: TLS 1.3 servers reject a certificate only here.
  enum class State { resting, dialling, asking, leaving };

  void schedule();
  void on_timer();
  void begin();
  void act_on(preamble::Step step);
  void leave();
  void on_closed();
  void announce(const balance::Transition& transition);
  void passed();
  void failed(Kind kind, const std::string& text, bool is_local);
  void rest();
  [[nodiscard]] preamble::Route route() const;

  [[nodiscard]] bool on_phase(Phase) override { return true; }
  void on_established() override;
  void on_dial_failed() override;
  void on_plaintext(MutableBytes plaintext) override;
  void on_end(Channel::End end) override;
  void on_drained() override {}
  void on_lost() override {}  // reading ends with the same error

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
  State state_ = State::resting;
  uv::Timer timer_;  // resting: the next check; else: the check's timeout
  // Released by rest(), all of them.
  std::vector<SocketAddress> tried_;
  std::unique_ptr<Dial> dial_;
  std::unique_ptr<Channel> channel_;  // may be on the stack then: released, and gone at the next
  std::unique_ptr<preamble::Conversation> question_;
};

// The checks of one service in one configuration: one for each target of the layout in force. Supervisor's loop; owned
// by the Supervisor.
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
