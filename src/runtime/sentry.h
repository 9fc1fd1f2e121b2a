// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "process/forced_end.h"
#include "runtime/pulse.h"
#include "uv/loop.h"
#include "uv/mailbox.h"
#include "uv/signal.h"
#include "uv/timer.h"

namespace tunnel::runtime {

// The thread that depends on no other: it receives the signals of the process, looks whether the
// other loops turn, and ends the process when they do not, or do not end. It waits for nothing and
// does little, so that it is there when everything else stands still. Owned by the Supervisor.
class Sentry {
 public:
  // Called on the sentry's thread, or on one that is made for it.
  struct Events {
    std::function<void(int signal_number)> on_signal;
    // The process is about to end because loop number `index` stands still, or because it did not
    // end in time: what is said here may take as long as Settings::report.
    std::function<void(std::size_t index)> on_stalled;
    std::function<void()> on_given_up;
    // Every loop has turned since the last time: what a service manager's watchdog is fed with.
    std::function<void()> on_all_turned = [] {};
  };
  struct Signals {
    std::set<int> that_stop;  // the second of them gives the process Settings::grace to end
    std::set<int> others;
  };
  // A loop that has not answered for looks * look stands still.
  struct Settings {
    Millis look{5000};
    unsigned looks = 12;
    Millis grace{2000};
    Millis report{1000};
    std::function<void(int exit_status)> end = process::end_at_once;
    Millis watchdog{0};  // how often at least Events::on_all_turned is wanted; 0: not at all
  };

  // The pulses must outlive it.
  Sentry(std::vector<Pulse*> pulses, const Signals& signals, Events events, Settings settings);
  Sentry(std::vector<Pulse*> pulses, const Signals& signals, Events events)
      : Sentry(std::move(pulses), signals, std::move(events), Settings()) {}
  ~Sentry();  // joins; signals have their default actions again
  Sentry(const Sentry&) = delete;
  Sentry& operator=(const Sentry&) = delete;

  [[nodiscard]] Result<void> start();
  // The process is to be over within this time, or it is ended with 1. Any thread.
  void end_within(Millis time) { mailbox_.send(Word{false, time}); }

 private:
  struct Word {
    bool is_leave;
    Millis time;
  };
  void on_signal(int number);
  void look();
  void begin_round();
  void look_round();
  void report_and_end(std::function<void()> report);

  const Signals signals_;
  const Events events_;
  const Settings settings_;
  uv::Loop loop_;
  StallWatch watch_;
  uv::Timer look_timer_;
  uv::Timer end_timer_;
  // The service manager's watchdog: a round asks every loop, and waits for all of them.
  const std::vector<Pulse*> pulses_;
  uv::Timer round_timer_;
  uv::Timer round_look_timer_;
  uv::Mailbox<Word> mailbox_;
  std::vector<std::unique_ptr<uv::Signal>> handlers_;
  int stop_signals_ = 0;
  std::thread thread_;
};

}  // namespace tunnel::runtime
