// SPDX-License-Identifier: MIT
// The Supervisor's part that begins: makes what it owns, and connects that.
#include <signal.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "runtime/confinement.h"
#include "runtime/connection_limit.h"
#include "runtime/supervisor.h"

namespace tunnel::runtime {

Administration::Process Supervisor::process(const Settings& settings) {
  return {
      .loop = loop_,
      .log = log_,
      .book = book_,
      .workers = settings.workers,
      .config = settings.loader.config().path,
      .sandbox = status_of(settings.sandbox.report()),
      .snapshot = [this]() -> const Snapshot& { return *snapshot_; },
      .resolution = [this]() -> Resolution& { return *resolution_; },
      .acceptor = [this]() -> Acceptor& { return *acceptor_; },
      .take_no_more = [this](ServiceId id) { take_no_more(id); },
      .send = [this](const ConnectionsOrder& order) { send_all([&] { return ToWorker(order); }); },
      .reload =
          [this](const admin::AdminActions::OnVerdict& on_verdict) {
            reload([on_verdict](const Reloaded& result) {
              on_verdict({result.is_done ? "" : "failed", result.lines});
            });
          },
      .captures = [this]() -> Captures& { return captures_; },
      .is_stopping = [this] { return is_stopping_; }};
}

// The sentry is the first, so that from here on a signal is a message and no longer the end. The
// snapshot is in force before the workers run: their mailboxes keep what is sent to them, so it is
// the first thing that each of them hears. Clients wait in the backlog until run() turns the loop.
Result<void> Supervisor::start() {
  if (auto watched = watch(); !watched) return watched;
  acceptor_ = make_acceptor();
  status_ = make_status();
  commit(std::move(first_));
  if (auto started = workers_.start(); !started) return started;
  // Nothing of the start can fail any more.
  if (control_ != nullptr) control_->own_file();
  log_.write(log::Level::info, log::Event::ready, {}, "ready: " + serving(),
             {{"services", std::uint64_t{snapshot_->services.size()}},
              {"workers", std::uint64_t{workers_.size()}},
              {"version", std::string_view(TUNNEL_VERSION)}});
  return {};
}

std::unique_ptr<Acceptor> Supervisor::make_acceptor() {
  return std::make_unique<Acceptor>(Acceptor::Settings{
      .loop = loop_,
      .log = log_,
      .connections = connections_,
      .is_gone_wanted = is_gone_wanted_,
      .max_connections = connection_limit(),
      .on_accepted = [this](Accepted accepted) { workers_.hand_over(std::move(accepted)); },
      .on_listeners_changed = [this] { store_.keep(own_sockets()); }});
}

std::unique_ptr<StatusService> Supervisor::make_status() {
  std::vector<StatusService::Loop> loops;
  for (std::size_t index = 0; index < workers_.size(); ++index) {
    loops.push_back({std::to_string(index), &workers_[index].beat()});
  }
  loops.push_back({"control", &beat_});
  return std::make_unique<StatusService>(StatusService::Settings{
      .log = log_, .loops = std::move(loops), .ask = [this](StatusWanted wanted) {
        mailbox_.send(wanted);
      }});
}

std::unique_ptr<Resolution> Supervisor::make_resolution() {
  return std::make_unique<Resolution>(
      snapshot_,
      Resolution::Settings{
          .loop = loop_,
          .log = log_,
          .sink = {
              .on_answer = [this](const std::string& name,
                                  const AddressBook::Answer& answer) { on_answer(name, answer); },
              .on_targets =
                  [this](const ServiceHandle& service,
                         std::shared_ptr<const balance::Layout> layout, const std::string& error) {
                    on_targets(service, std::move(layout), error);
                  },
              .on_forgotten =
                  [this](const std::string& name) {
                    book_.forget(name);
                    send_all([&] { return ToWorker(NameForgotten{name}); });
                  }},
          .adjust = [this](ServiceId service, const balance::Arrangement& arrangement) {
            return administration_->adjusted(service, arrangement);
          }});
}

// Signals come through the sentry, which acts on them when we cannot.
Result<void> Supervisor::watch() {
  std::vector<Pulse*> pulses;
  for (std::size_t index = 0; index < workers_.size(); ++index) {
    pulses.push_back(&workers_[index].pulse());
  }
  pulses.push_back(&pulse_);
  Sentry::Signals signals{{SIGTERM, SIGINT, SIGQUIT}, {SIGUSR1, SIGUSR2}};
  // See on_reload_signal().
  (stdio_ ? signals.that_stop : signals.others).insert(SIGHUP);
  sentry_ = std::make_unique<Sentry>(
      std::move(pulses), signals,
      Sentry::Events{[this](int number) { mailbox_.send(Signalled{number}); },
                     [this](std::size_t loop) { report_stalled(loop); },
                     [this] {
                       log_.write(log::Level::error, log::Event::stopped, {},
                                  "stopped: a thread did not end in time; what was left was reset",
                                  {{"exit_status", std::int64_t{1}}});
                       log_.flush();
                     },
                     [this] { (void)notifier_.watchdog(); }},
      Sentry::Settings{.watchdog =
                           notifier_.has_manager() ? process::watchdog_interval() : Millis(0)});
  return sentry_->start();
}

// On another thread: touches what never changes.
void Supervisor::report_stalled(std::size_t loop) {
  const std::string name =
      loop < workers_.size() ? "worker-" + std::to_string(loop) : "the main thread";
  log_.write(log::Level::error, log::Event::worker_stalled, {},
             name +
                 " has not come back to its event loop for a minute: the process ends, to be "
                 "started again, and its connections are reset",
             {{"worker", std::string_view(name)}});
  log_.flush();
}

std::string Supervisor::serving() const {
  return "serving " + count_of(snapshot_->services.size(), "service") + " with " +
         count_of(workers_.size(), "worker");
}

void Supervisor::tell_manager() {
  if (auto told = notifier_.ready(serving()); !told) log_.warning({}, told.error().text);
  store_.open();
  store_.keep(own_sockets());
}

}  // namespace tunnel::runtime
