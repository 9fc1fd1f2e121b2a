// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "balance/target.h"
#include "capture/taps.h"
#include "probe/report.h"
#include "probe/version_contexts.h"
#include "tls/evidence.h"
#include "tls/remembered.h"
#include "tunnel/visit.h"

namespace tunnel::probe {

// Visits one address of one target, as often as it is asked to, and explains what goes wrong.
// Loop-bound; owned by the Prober.
class AddressProbe final : public Visit::Owner {
 public:
  // The references must outlive the probe.
  struct Task {
    balance::Endpoint target;  // with the one address that is to be dialled
    const DialSettings& settings;
    const config::Tls* tls;  // the settings that the context was made of; null: plain TCP
    VersionContexts& versions;
    Millis timeout;  // of each visit
    unsigned rounds;
    std::optional<Seconds> dns;                // what looking for the address took
    const capture::Source* capture = nullptr;  // of what goes over the network; null: none
  };
  // `on_done` may destroy the probe's owner's other things, but not the probe.
  AddressProbe(uv::Loop& loop, AddressBook& book, Task task, std::function<void()> on_done);
  ~AddressProbe();
  AddressProbe(const AddressProbe&) = delete;
  AddressProbe& operator=(const AddressProbe&) = delete;

  void start();
  [[nodiscard]] AddressReport take_report() { return std::move(report_); }

 private:
  using Clock = std::chrono::steady_clock;

  void begin();
  void visit(const DialSettings& settings, config::Check check, Caller caller);
  void next();
  void next_version();
  void end_round(const Failure& failure);
  void end_step();
  void note_session(Round& round);
  void explain(const Failure& failure);
  [[nodiscard]] Step failed_step(Kind kind) const;
  void finish();

  [[nodiscard]] Dial::Watchers watchers_of_visit(const uv::Stream& stream) override;
  void on_visited(const Failure& failure) override;
  void on_visit_phase(Phase phase) override;
  void on_visit_stage(Visit::Stage stage) override;

  uv::Loop& loop_;
  AddressBook& book_;
  const Task task_;
  const std::function<void()> on_done_;
  AddressReport report_;

  uv::Timer turn_;  // the next visit begins in a turn of its own: the last one is on the stack
  std::unique_ptr<capture::Taps> taps_;  // of the last stream; goes after the visit
  std::unique_ptr<Visit> visit_;
  tls::Remembered remembered_;  // of this address: tickets for the rounds behind the first
  tls::Evidence evidence_;

  // Of the round that is under way.
  Times times_;
  Clock::time_point round_began_, step_began_;
  std::optional<Step> step_;  // which is measured
  Visit::Stage stage_ = Visit::Stage::dialling;

  std::optional<Failure> version_failure_;  // explained when the server's versions are known
  std::size_t version_ = 0;                 // which of them is tried
  DialSettings version_settings_;
};

}  // namespace tunnel::probe
