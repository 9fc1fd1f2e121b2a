// SPDX-License-Identifier: MIT
#include "runtime/sentry.h"

#include <signal.h>

#include <algorithm>
#include <semaphore>
#include <utility>

#include "base/thread.h"
#include "runtime/exit_status.h"

namespace tunnel::runtime {

// All handles are made here, while the loop does not turn yet: only a message may reach it later.
Sentry::Sentry(std::vector<Pulse*> pulses, const Signals& signals, Events events, Settings settings)
    : signals_(signals),
      events_(std::move(events)),
      settings_(std::move(settings)),
      watch_(pulses, settings_.looks),
      look_timer_(loop_, [this] { look(); }),
      end_timer_(loop_, [this] { report_and_end(events_.on_given_up); }),
      pulses_(std::move(pulses)),
      round_timer_(loop_, [this] { begin_round(); }),
      round_look_timer_(loop_, [this] { look_round(); }),
      mailbox_(loop_, [this](Word word) {
        if (word.is_leave) return loop_.stop();
        // An end that is coming already is not put off.
        if (!end_timer_.is_active()) end_timer_.start(word.time);
      }) {
  for (const std::set<int>* numbers : {&signals_.that_stop, &signals_.others}) {
    for (const int number : *numbers) {
      handlers_.push_back(
          std::make_unique<uv::Signal>(loop_, number, [this, number] { on_signal(number); }));
    }
  }
}

Sentry::~Sentry() {
  if (!thread_.joinable()) return;
  mailbox_.send(Word{true, {}});
  thread_.join();
}

Result<void> Sentry::start() {
  look_timer_.start(settings_.look);
  if (settings_.watchdog > Millis(0)) round_timer_.start(Millis(0));
  // Signals are delivered to the main thread; libuv's handler passes them on to this loop.
  auto thread = start_thread("sentry", [this] { loop_.run(); });
  if (!thread) return tl::make_unexpected(std::move(thread.error()));
  thread_ = std::move(*thread);
  return {};
}

// The first signal to stop lets connections finish, for as long as they may. After the second one
// the supervisor resets what is left, which is done in a moment unless some thread stands still.
void Sentry::on_signal(int number) {
  if (signals_.that_stop.contains(number) && ++stop_signals_ == 2) {
    end_timer_.start(settings_.grace);
  }
  return events_.on_signal(number);
}

void Sentry::look() {
  look_timer_.start(settings_.look);
  const auto stalled = watch_.look();
  if (!stalled) return;
  // Ending is all that helps: what a thread that stands still holds cannot be taken from it, and a
  // service manager starts the process again.
  return report_and_end([say = events_.on_stalled, index = *stalled] { say(index); });
}

// Half the interval, as sd_watchdog_enabled(3) advises. The next round does not wait for this one's
// end: a loop that answers late has been asked long since.
void Sentry::begin_round() {
  round_timer_.start(settings_.watchdog / 2);
  for (Pulse* pulse : pulses_) pulse->ask();
  return look_round();
}

void Sentry::look_round() {
  const bool have_all = std::all_of(pulses_.begin(), pulses_.end(),
                                    [](const Pulse* pulse) { return pulse->has_answered(); });
  if (have_all) {
    round_look_timer_.stop();
    return events_.on_all_turned();
  }
  return round_look_timer_.start(std::max(Millis(1), settings_.watchdog / 32));
}

// What is to be logged is logged by a thread of its own: a loop that stands still may hold whatever
// that needs.
void Sentry::report_and_end(std::function<void()> report) {
  const auto is_reported = std::make_shared<std::binary_semaphore>(0);
  auto thread = start_thread("report", [is_reported, say = std::move(report)] {
    say();
    is_reported->release();
  });
  if (thread) {
    // It is given up when it takes too long, so what it uses must not be on this stack.
    thread->detach();
    (void)is_reported->try_acquire_for(settings_.report);
  }
  return settings_.end(kRunTimeError);
}

}  // namespace tunnel::runtime
