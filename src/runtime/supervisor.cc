// SPDX-License-Identifier: MIT
#include "runtime/supervisor.h"

#include <signal.h>
#include <sys/socket.h>

#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/text.h"

namespace tunnel::runtime {

Supervisor::Supervisor(Settings settings)
    : log_(settings.log),
      log_options_(std::move(settings.log_options)),
      first_(std::move(settings.build)),
      notifier_(std::getenv("NOTIFY_SOCKET")),
      store_(notifier_, log_),
      control_(settings.control),
      handed_(std::move(settings.handed)),
      mailbox_(loop_, [this](ToSupervisor message) { on_message(std::move(message)); }),
      workers_({.workers = settings.workers,
                .connections = connections_,
                .is_gone_wanted = is_gone_wanted_,
                .report = [this](ToSupervisor message) { mailbox_.send(std::move(message)); },
                .log = log_,
                .remembered = remembered_,
                .address_history = address_history_}),
      book_(loop_, address_history_,
            [this](const std::string& name) { mailbox_.send(NameWanted{name}); }),
      random_(std::random_device{}()),
      programs_(loop_, log_,
                {[this](const ServiceHandle& service, Fd socket, const SocketAddress& client) {
                   (void)acceptor_->take(service, std::move(socket), client);
                 },
                 [this] {
                   if (is_stopping_) leave_if_empty();
                 }}),
      stop_timer_(loop_, [this] { stop_now("shutdown_timeout is over"); }),
      credentials_(loop_, log_, [this] { return look_at_files(); }),
      captures_(
          {.log = log_,
           .workers = workers_.size(),
           .send = [this](const UseCaptures& use) { send_all([&] { return ToWorker(use); }); },
           .report = [this](CaptureNews news) { mailbox_.send(std::move(news)); }}),
      pulse_(loop_),
      beat_(loop_),
      succession_(loop_, log_, std::move(settings.succession),
                  {.handed = [this] { return handed_over(); },
                   .on_succeeded = [this](pid_t pid) { on_succeeded(pid); },
                   .on_refused = [this](const std::string& why) { on_no_upgrade(why); },
                   .on_over = [this] { begin_next_job(); }}),
      administration_(std::make_unique<Administration>(
          process(settings), settings.control != nullptr ? settings.control->fd() : -1)),
      reloader_(settings.loader, [this](Reloader::Done done) { mailbox_.send(std::move(done)); }) {
  if (settings.stdio != nullptr) stdio_ = std::make_unique<StdioSession>(*settings.stdio);
}

Supervisor::~Supervisor() = default;

int Supervisor::run() {
  // Not before: programs begin when the process is what it will be, with the standard error and the
  // folder of a daemon.
  programs_.use(*snapshot_, services_that_take_clients());
  if (stdio_) serve_stdio();
  loop_.run();
  pulse_.end();
  status_->stop();  // nobody would answer it
  // It may read from what does not answer, and is waited for.
  if (reloader_.is_busy()) sentry_->end_within(kReset);
  // Before anything that they use goes. What they still send stays in the mailbox, and dies with
  // it.
  workers_.join();
  if (stdio_) stdio_->stop();
  // After the workers, so that the last bytes of their connections are in the files.
  captures_.finish();
  log_stopped();
  log_.flush();  // while the sentry can still cut it short
  // libuv puts the default actions back when its handles go: a further signal would turn an exit
  // that is under way into a death by that signal. All other threads block signals already.
  sigset_t late;
  (void)::sigemptyset(&late);
  for (const int number : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2}) {
    (void)::sigaddset(&late, number);
  }
  (void)::pthread_sigmask(SIG_BLOCK, &late, nullptr);
  return exit_status();
}

void Supervisor::serve_stdio() {
  stdio_->start(
      [this](Fd socket, const SocketAddress& client) {
        return acceptor_->take(snapshot_->services.front(), std::move(socket), client);
      },
      [this](std::string error) { mailbox_.send(StdioDone{std::move(error)}); });
}

// Puts what was built in force. Nothing in here can fail.
void Supervisor::commit(Build build) {
  const std::shared_ptr<const Snapshot> before =
      std::exchange(snapshot_, std::move(build.snapshot));
  const SnapshotIndex old(before.get());
  for (const Warning& warning : snapshot_->warnings) {
    if (!old.has(warning)) log_.warning({warning.service}, warning.text);
  }
  // An operator may have drained a service while its listeners were made.
  const std::vector<ServiceHandle> open = services_that_take_clients();
  std::vector<Bound::Entry> listeners = opened(std::move(build.listeners), open);
  for (const ServiceHandle& service : snapshot_->services) {
    if (old.has_same(service)) continue;
    // A service that is known has its callbacks and counters already, and workers may be using them
    // at this moment.
    if (!old.has(service.life->id)) begin(service);
    // Before the targets come, which Resolution gives to them as well as to the workers.
    checks_[service.life->id] =
        std::make_unique<HealthChecks>(Surroundings{loop_, log_, book_, random_}, service,
                                       [this, id = service.life->id](const TargetChange& change) {
                                         on_target_changed({id, change});
                                       });
  }
  if (build.status) status_->use(std::move(*build.status), snapshot_->global.status_hosts);
  // Of what was in force before the one that goes now: that may have connections still.
  remembered_.drop_orphans();
  const SnapshotIndex now(snapshot_.get());
  std::erase_if(checks_, [&](const auto& each) { return !now.has(each.first); });
  captures_.use(*snapshot_);
  // In this order: clients whom a listener that goes had not yet accepted come to a worker while it
  // still has the configuration that they came for, and those of new listeners, which are accepted
  // in a later turn, when it knows the service and its targets.
  acceptor_->serve(open, std::move(listeners));
  send_all([this] { return ToWorker(UseSnapshot{snapshot_}); });
  for (const ServiceId id : administration_->drained()) {
    send_all([id] { return ToWorker(NoMoreClients{id}); });
  }
  if (resolution_) {
    resolution_->use(snapshot_);
  } else {
    resolution_ = make_resolution();
    resolution_->start();
  }
  // At the start run() does this.
  if (before) programs_.use(*snapshot_, open);
  // One connection has its credentials once and for all.
  if (!stdio_) credentials_.use(*snapshot_);
}

// The listeners of services that are open, with a log line each.
std::vector<Bound::Entry> Supervisor::opened(std::vector<Bound::Entry> bound,
                                             const std::vector<ServiceHandle>& open) {
  std::unordered_set<std::string_view> names;
  for (const ServiceHandle& service : open) names.insert(service.life->name);
  std::vector<Bound::Entry> listeners;
  for (Bound::Entry& entry : bound) {
    if (names.contains(entry.place.service)) listeners.push_back(std::move(entry));
  }
  for (const Bound::Entry& entry : listeners) {
    const std::string address = entry.socket.address().to_string();
    log_.write(log::Level::info, log::Event::listening, {entry.place.service},
               "listening on " + address, {{"address", std::string_view(address)}});
  }
  return listeners;
}

// Once, before any worker knows the service.
void Supervisor::begin(const ServiceHandle& service) {
  service.life->count_on(workers_.size());
  service.life->report_free_slots([this](ServiceId id) { mailbox_.send(SlotFreed{id}); });
}

std::vector<ServiceHandle> Supervisor::services_that_take_clients() const {
  std::vector<ServiceHandle> services = snapshot_->services;
  std::erase_if(services, [this](const ServiceHandle& service) {
    return administration_->drained().contains(service.life->id);
  });
  return services;
}

// For good: an operator drains the service. A program's next run would be a client, too.
void Supervisor::take_no_more(ServiceId id) {
  acceptor_->drain(id);
  send_all([id] { return ToWorker(NoMoreClients{id}); });
  programs_.stop(id);
}

std::vector<OwnSocket> Supervisor::own_sockets() const {
  std::vector<OwnSocket> own;
  for (const Acceptor::Listening& each : acceptor_->listening()) {
    // Those of socket units go to the next process by their units' names (PassedSockets::given),
    // and the manager has them anyway.
    if (each.is_passed) continue;
    own.push_back({{kept_name_of(each.place), each.fd}, each.place.address.family()});
  }
  for (const StatusSocket& each : status_->sockets()) {
    if (each.socket->is_passed()) continue;
    own.push_back({{kept_name_of({"", each.wanted}), each.socket->fd()}, each.wanted.family()});
  }
  if (control_ != nullptr && !control_->is_passed()) {
    own.push_back({{ControlSocket::kKeptName, control_->fd()}, AF_UNIX});
  }
  return own;
}

std::vector<process::Handed> Supervisor::handed_over() const {
  std::vector<process::Handed> handed = handed_();
  for (OwnSocket& own : own_sockets()) handed.push_back(std::move(own.handed));
  return handed;
}

// Of sockets that another process has, too.
void Supervisor::leave_files() {
  status_->leave_files();
  if (control_ != nullptr) control_->leave_file();
}

void Supervisor::on_message(ToSupervisor message) {
  if (const auto* wanted = std::get_if<NameWanted>(&message)) {
    return resolution_->refresh(wanted->name);
  }
  if (const auto* freed = std::get_if<SlotFreed>(&message)) {
    // To all: any worker may have the connection that has waited longest, and only it knows.
    return send_all([freed] { return ToWorker(*freed); });
  }
  if (const auto* changed = std::get_if<TargetChanged>(&message)) {
    return on_target_changed(*changed);
  }
  if (const auto* done = std::get_if<StdioDone>(&message)) return on_stdio_done(done->error);
  if (auto* job = std::get_if<Reloader::Done>(&message)) return on_job_done(std::move(*job));
  if (auto* answer = std::get_if<ConnectionsAnswer>(&message)) {
    return administration_->on_answer(std::move(*answer));
  }
  if (const auto* wanted = std::get_if<StatusWanted>(&message)) return on_status_wanted(*wanted);
  if (const auto* news = std::get_if<CaptureNews>(&message)) return captures_.on_news(*news);
  if (const auto* signalled = std::get_if<Signalled>(&message)) return on_signal(signalled->number);
  return on_gone(std::get<ConnectionGone>(message));
}

void Supervisor::on_status_wanted(const StatusWanted& wanted) {
  return administration_->status(wanted.how, [this, wanted](admin::Status status) {
    status_->answer(wanted, std::move(status));
  });
}

void Supervisor::on_answer(const std::string& name, const AddressBook::Answer& answer) {
  book_.update(name, answer);
  return send_all([&] { return ToWorker(NameAnswered{name, answer}); });
}

void Supervisor::on_targets(const ServiceHandle& service,
                            std::shared_ptr<const balance::Layout> layout,
                            const std::string& error) {
  checks_.at(service.life->id)->set_layout(layout);
  return send_all([&] { return ToWorker(TargetsChanged{service, layout, error}); });
}

void Supervisor::on_target_changed(const TargetChanged& changed) {
  return send_all([&] { return ToWorker(changed); });
}

}  // namespace tunnel::runtime
