// SPDX-License-Identifier: MIT
#include "runtime/supervisor.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/text.h"
#include "runtime/confinement.h"

namespace tunnel::runtime {
namespace {

// How long it may take at most to reset all connections and to leave.
constexpr Millis kReset{10'000};

std::size_t open_descriptors() {
  std::error_code error;
  std::size_t count = 0;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    ++count;
  }
  return count > 0 ? count : 64;
}

// Descriptors that connections do not get: log files that are reopened, DNS queries, health checks.
// Where there are few they must not be most of them.
std::size_t reserved_descriptors(std::size_t limit) {
  return std::clamp<std::size_t>(limit / 16, 2, 24);
}

// How many connections the descriptors allow: each needs two, one to either side.
std::size_t connection_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  const std::size_t all = limit.rlim_cur;
  const std::size_t used = open_descriptors() + reserved_descriptors(all);
  return all > used + 2 ? (all - used) / 2 : 1;
}

// What a snapshot has, for questions about each service of another: there may be a thousand.
class Index {
 public:
  explicit Index(const Snapshot* snapshot) {
    if (snapshot == nullptr) return;
    for (const ServiceHandle& service : snapshot->services) {
      configs_.insert(service.config.get());
      services_.insert(service.life->id);
    }
    for (const Warning& warning : snapshot->warnings) {
      warnings_.emplace(warning.service, warning.text);
    }
  }
  // Whether the service goes on as it was.
  [[nodiscard]] bool has_same(const ServiceHandle& service) const {
    return configs_.contains(service.config.get());
  }
  [[nodiscard]] bool has(ServiceId service) const { return services_.contains(service); }
  [[nodiscard]] bool has(const Warning& warning) const {
    return warnings_.contains({warning.service, warning.text});
  }

 private:
  std::unordered_set<const ServiceConfig*> configs_;
  std::unordered_set<ServiceId> services_;
  std::set<std::pair<std::string_view, std::string_view>> warnings_;
};

// FDSTORE is how many descriptors systemd keeps, from version 254 on; our unit says so to older ones.
bool may_keep(int family) {
  const char* most = std::getenv("FDSTORE");
  if (most == nullptr) return family != AF_UNIX;
  return std::string_view(most) != "0";
}

}  // namespace

Supervisor::Supervisor(Settings settings)
    : log_(settings.log),
      log_options_(std::move(settings.log_options)),
      first_(std::move(settings.build)),
      notifier_(std::getenv("NOTIFY_SOCKET")),
      control_(settings.control),
      program_(std::move(settings.program)),
      handed_(std::move(settings.handed)),
      followed_by_(std::move(settings.followed_by)),
      launcher_(settings.launcher),
      restore_(std::move(settings.on_upgrade_failed)),
      mailbox_(loop_, [this](ToSupervisor message) { on_message(std::move(message)); }),
      book_(loop_, address_history_,
            [this](const std::string& name) { mailbox_.send(NameWanted{name}); }),
      random_(std::random_device{}()),
      stdio_(settings.stdio),
      stop_timer_(loop_, [this] { stop_now("shutdown_timeout is over"); }),
      credential_failures_(loop_),
      poll_timer_(loop_, [this] { poll_files(); }),
      captures_({.log = log_,
                 .send = [this](const UseCaptures& use) { send_all([&] { return ToWorker(use); }); },
                 .report = [this](CaptureNews news) { mailbox_.send(std::move(news)); }}),
      pulse_(loop_),
      beat_(loop_),
      administration_(std::make_unique<Administration>(
          Administration::Process{
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
              .send =
                  [this](const ConnectionsOrder& order) {
                    send_all([&] { return ToWorker(order); });
                  },
              .reload =
                  [this](const admin::AdminActions::OnVerdict& on_verdict) {
                    reload([on_verdict](const Reloaded& result) {
                      on_verdict({result.is_done ? "" : "failed", result.lines});
                    });
                  },
              .captures = [this]() -> Captures& { return captures_; },
              .is_stopping = [this] { return is_stopping_; }},
          settings.control != nullptr ? settings.control->fd() : -1)),
      reloader_(settings.loader, [this](Reloader::Done done) { mailbox_.send(std::move(done)); }) {
  for (std::size_t index = 0; index < settings.workers; ++index) {
    workers_.push_back(std::make_unique<Worker>(Worker::Settings{
        .index = index,
        .workers = settings.workers,
        .connections = connections_,
        .is_gone_wanted = is_gone_wanted_,
        .report = [this](ToSupervisor message) { mailbox_.send(std::move(message)); },
        .log = log_,
        .remembered = remembered_,
        .address_history = address_history_}));
  }
}

Supervisor::~Supervisor() = default;

Result<void> Supervisor::start() {
  if (auto watched = watch(); !watched) return watched;
  acceptor_ = std::make_unique<Acceptor>(Acceptor::Settings{
      .loop = loop_,
      .log = log_,
      .connections = connections_,
      .is_gone_wanted = is_gone_wanted_,
      .max_connections = connection_limit(),
      .on_accepted = [this](Accepted accepted) { hand_over(std::move(accepted)); },
      .on_listeners_changed = [this] { keep_listeners(); }});
  std::vector<StatusService::Loop> loops;
  for (std::size_t index = 0; index < workers_.size(); ++index) {
    loops.push_back({std::to_string(index), &workers_[index]->beat()});
  }
  loops.push_back({"control", &beat_});
  status_ = std::make_unique<StatusService>(
      StatusService::Settings{.log = log_,
                              .loops = std::move(loops),
                              .ask = [this](StatusWanted wanted) { mailbox_.send(wanted); }});
  commit(std::move(first_));
  for (const auto& worker : workers_) {
    if (auto started = worker->start(); !started) {
      send_all([] { return ToWorker(Leave{}); });  // those that run
      return started;
    }
  }

  if (control_ != nullptr) control_->own_file();
  log_.write(log::Level::info, log::Event::ready, {}, "ready: " + serving(),
             {{"services", std::uint64_t{snapshot_->services.size()}},
              {"workers", std::uint64_t{workers_.size()}},
              {"version", std::string_view(TUNNEL_VERSION)}});
  return {};
}

std::string Supervisor::serving() const {
  return "serving " + count_of(snapshot_->services.size(), "service") + " with " +
         count_of(workers_.size(), "worker");
}

void Supervisor::tell_manager() {
  if (auto told = notifier_.ready(serving()); !told) log_.warning({}, told.error().text);
  is_keeping_ = notifier_.has_manager() && may_keep(AF_INET);
  keep_listeners();
}

std::vector<Supervisor::Own> Supervisor::own_sockets() const {
  std::vector<Own> own;
  for (const Acceptor::Listening& each : acceptor_->listening()) {
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

// A manager that restarts us gives them to the next process, and no client is refused meanwhile.
// The file of a unix socket would outlive a stop where nothing is kept, so for those the manager must
// have said that it keeps something.
void Supervisor::keep_listeners() {
  if (!is_keeping_) return;
  std::set<std::string> now;
  for (const auto& [handed, family] : own_sockets()) {
    if (!may_keep(family)) continue;
    if (!now.insert(handed.name).second || kept_.contains(handed.name)) continue;
    if (auto kept = notifier_.keep(handed.fd, handed.name); !kept) {
      log_.warning({}, "cannot leave a listener to the service manager: " + kept.error().text);
    }
  }
  for (const std::string& name : kept_) {
    if (!now.contains(name)) (void)notifier_.drop(name);
  }
  kept_ = std::move(now);
}

// Of sockets that another process has, too.
void Supervisor::leave_files() {
  status_->leave_files();
  if (control_ != nullptr) control_->leave_file();
}

// Puts what was built in force. Nothing in here can fail.
void Supervisor::commit(Build build) {
  const std::shared_ptr<const Snapshot> before = std::exchange(snapshot_, std::move(build.snapshot));
  const Index old(before.get());
  for (const Warning& warning : snapshot_->warnings) {
    if (!old.has(warning)) log_.warning({warning.service}, warning.text);
  }
  // An operator may have drained a service while its listeners were made.
  const std::vector<ServiceHandle> open = services_that_take_clients();
  std::unordered_set<std::string_view> open_names;
  for (const ServiceHandle& service : open) open_names.insert(service.life->name);
  std::vector<Bound::Entry> listeners;
  for (Bound::Entry& entry : build.listeners) {
    if (open_names.contains(entry.place.service)) listeners.push_back(std::move(entry));
  }
  for (const Bound::Entry& entry : listeners) {
    const std::string address = entry.socket.address().to_string();
    log_.write(log::Level::info, log::Event::listening, {entry.place.service},
               "listening on " + address, {{"address", std::string_view(address)}});
  }
  for (const ServiceHandle& service : snapshot_->services) {
    if (old.has_same(service)) continue;
    // Once, before any worker knows the service.
    if (!old.has(service.life->id)) {
      service.life->count_on(workers_.size());
      service.life->report_free_slots([this](ServiceId id) { mailbox_.send(SlotFreed{id}); });
    }
    check(service);
  }
  if (build.status) status_->use(std::move(*build.status), snapshot_->global.status_hosts);
  const Index now(snapshot_.get());
  std::erase_if(checks_, [&](const auto& each) { return !now.has(each.first); });
  captures_.use(*snapshot_);
  // In this order: a worker knows a service and its targets before a client comes for it.
  send_all([this] { return ToWorker(UseSnapshot{snapshot_}); });
  for (const ServiceId id : administration_->drained()) {
    send_all([id] { return ToWorker(NoMoreClients{id}); });
  }
  if (resolution_) {
    resolution_->use(snapshot_);
    acceptor_->serve(open, std::move(listeners));
    use_programs();
    return start_polling();
  }
  resolution_ = std::make_unique<Resolution>(
      snapshot_,
      Resolution::Settings{
          .loop = loop_,
          .log = log_,
          .sink = {.on_answer =
                       [this](const std::string& name, const AddressBook::Answer& answer) {
                         on_answer(name, answer);
                       },
                   .on_targets =
                       [this](const ServiceHandle& service,
                              std::shared_ptr<const balance::Layout> layout,
                              const std::string& error) {
                         on_targets(service, std::move(layout), error);
                       },
                   .on_forgotten =
                       [this](const std::string& name) {
                         book_.forget(name);
                         send_all([&] { return ToWorker(NameForgotten{name}); });
                       }},
          .adjust =
              [this](ServiceId service, const balance::Arrangement& arrangement) {
                return administration_->adjusted(service, arrangement);
              }});
  resolution_->start();
  acceptor_->serve(open, std::move(listeners));
  return start_polling();
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
  if (const auto client = exec_clients_.find(id); client != exec_clients_.end()) {
    client->second->stop();
  }
}

void Supervisor::check(const ServiceHandle& service) {
  checks_[service.life->id] = std::make_unique<HealthChecks>(
      Surroundings{loop_, log_, book_, random_}, service,
      [this, id = service.life->id](const TargetChange& change) {
        on_target_changed({id, change});
      });
}

int Supervisor::run() {
  run_programs();
  if (stdio_ != nullptr) serve_stdio();
  loop_.run();
  pulse_.end();
  status_->stop();  // nobody would answer it
  // It may read from what does not answer, and is waited for.
  if (reloader_.is_busy()) sentry_->end_within(kReset);
  for (const auto& worker : workers_) worker->join();
  if (stdio_ != nullptr) stdio_->stop();
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
  return exit_status_;
}

void Supervisor::log_stopped() {
  std::uint64_t ended = 0;
  std::uint64_t failed = 0;
  for (const ServiceHandle& service : snapshot_->services) {
    ended += service.life->ended.load();
    failed += service.life->failed.load();
  }
  std::string text = "stopped: ";
  if (stdio_ != nullptr) {
    text +=
        exit_status_ == 0 ? "the connection ended in order" : "the connection did not end in order";
  } else if (exit_status_ != 0) {
    text += "connections that were left were reset";
  } else if (ended == 0) {
    text += "there was no connection";
  } else if (failed == 0) {
    text += "every connection ended in order";
  } else {
    text += "no connection was left";
  }
  if (stdio_ == nullptr && failed > 0) {
    text += "; " + std::to_string(failed) + " of " + count_of(ended, "connection") +
            " had failed (see " + (failed == 1 ? "its closed line)" : "their closed lines)");
  }
  log_.write(
      log::Level::info, log::Event::stopped, {}, text,
      {{"exit_status", std::int64_t{exit_status_}}, {"connections", ended}, {"failed", failed}});
}

// Signals come through the sentry, which acts on them when we cannot.
Result<void> Supervisor::watch() {
  std::vector<Pulse*> pulses;
  for (const auto& worker : workers_) pulses.push_back(&worker->pulse());
  pulses.push_back(&pulse_);
  Sentry::Signals signals{{SIGTERM, SIGINT, SIGQUIT}, {SIGUSR1, SIGUSR2}};
  (stdio_ != nullptr ? signals.that_stop : signals.others).insert(SIGHUP);
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
      Sentry::Settings{.watchdog = notifier_.has_manager() ? process::watchdog_interval() : Millis(0)});
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

void Supervisor::on_signal(int number) {
  switch (number) {
    case SIGTERM:
      return on_stop_signal("SIGTERM");
    case SIGINT:
      return on_stop_signal("SIGINT");
    case SIGQUIT:  // stunnel's, and that of supervisors that speak to nginx
      return on_stop_signal("SIGQUIT");
    case SIGHUP:
      return on_reload_signal();
    case SIGUSR2:
      return on_upgrade_signal();
    default:
      return log_.reopen();
  }
}

// Not before run(): programs begin when the process is what it will be, with the standard error and
// the folder of a daemon.
void Supervisor::run_programs() {
  for (const ServiceHandle& service : snapshot_->services) run_program(service);
}

// After a reload: a program that runs goes on, and its next run is as the file says now. One whose
// service has gone is not run again.
void Supervisor::use_programs() {
  const Index now(snapshot_.get());
  for (const auto& [id, client] : exec_clients_) {
    if (!now.has(id)) client->stop();
  }
  std::erase_if(exec_clients_, [&](const auto& each) {
    return !now.has(each.first) && each.second->is_over();
  });
  for (const ServiceHandle& service : services_that_take_clients()) {
    const auto known = exec_clients_.find(service.life->id);
    if (known == exec_clients_.end()) {
      run_program(service);
    } else if (service.settings().exec.empty()) {
      known->second->stop();
    } else {
      known->second->use(service);
    }
  }
}

void Supervisor::run_program(const ServiceHandle& service) {
  const std::string& program = service.settings().exec;
  if (program.empty()) return;
  // For the log and the policies: a program has no address.
  const auto path = SocketAddress::unix_path(program);
  const SocketAddress address = path ? *path : *SocketAddress::unix_path("exec");
  std::unique_ptr<ExecClient>& client = exec_clients_[service.life->id];
  client = std::make_unique<ExecClient>(
      loop_, log_, service,
      ExecClient::Owner{[this, address](const ServiceHandle& handle, Fd socket) {
                          (void)acceptor_->take(handle, std::move(socket), address);
                        },
                        [this] {
                          if (is_stopping_) leave_if_empty();
                        }});
  client->start();
}

void Supervisor::serve_stdio() {
  is_stdio_connected_ =
      acceptor_->take(snapshot_->services.front(), stdio_->take_client(), stdio_->address());
  if (!is_stdio_connected_) exit_status_ = 1;
  stdio_->start([this](std::string error) { mailbox_.send(StdioDone{std::move(error)}); });
}

// A client that cannot be read or written any more is gone: its connection is reset.
void Supervisor::on_stdio_done(const std::string& error) {
  is_stdio_done_ = true;
  if (!error.empty()) {
    exit_status_ = 1;
    failure_ = error;
    if (connections_.load() > 0) return stop_now(error.c_str());
    log_.error({}, error);
  }
  return leave_if_stdio_over();
}

// The process is over with its one connection, once everything has been written.
void Supervisor::leave_if_stdio_over() {
  if (is_stdio_done_ && !is_stdio_connected_) return leave_if_empty();
}

void Supervisor::on_stdio_gone(const Outcome& outcome) {
  is_stdio_connected_ = false;
  if (outcome.has_failed() && !is_leaving_) {
    exit_status_ = 1;
    // A client that has left needs no sentence.
    if (failure_.empty() && outcome.kind != Kind::reset_by_client) failure_ = outcome.text;
  }
  return leave_if_stdio_over();
}

void Supervisor::on_gone(const ConnectionGone& gone) {
  if (stdio_ != nullptr) return on_stdio_gone(gone.outcome);
  if (const auto client = exec_clients_.find(gone.service); client != exec_clients_.end()) {
    client->second->connection_gone(gone.outcome.has_failed() ? ExecClient::Connection::failed
                                                              : ExecClient::Connection::ended);
  }
  if (is_stopping_) return leave_if_empty();
  return acceptor_->reconsider();
}

void Supervisor::on_message(ToSupervisor message) {
  if (const auto* wanted = std::get_if<NameWanted>(&message)) {
    return resolution_->refresh(wanted->name);
  }
  if (const auto* freed = std::get_if<SlotFreed>(&message)) {
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

// Tunnels are few, long and heavy: the worker with the fewest gets the next one, in turn among
// equals. One that has a connection ready for it comes before all others.
void Supervisor::hand_over(Accepted accepted) {
  const std::uint64_t ready = accepted.service.life->ready_workers.load();
  const auto rank = [&](std::size_t index) {
    return std::pair((ready & worker_bit(index)) == 0, workers_[index]->connections.load());
  };
  std::size_t best = next_worker_;
  for (std::size_t i = 1; i < workers_.size(); ++i) {
    const std::size_t candidate = (next_worker_ + i) % workers_.size();
    if (rank(candidate) < rank(best)) best = candidate;
  }
  next_worker_ = (best + 1) % workers_.size();
  workers_[best]->connections.fetch_add(1);
  workers_[best]->send(std::move(accepted));
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

void Supervisor::send_all(const ToWorkerFactory& make) {
  for (const auto& worker : workers_) worker->send(make());
}

// The first signal ends in order, the second at once.
void Supervisor::on_stop_signal(const char* name) {
  if (std::exchange(is_succeeded_, false)) {
    // The first that it hears of: a manager stops the whole group, the successor too.
    const config::Timeout& timeout = snapshot_->global.shutdown_timeout;
    log_.info({}, std::string(name) + ": the connections of this process may still finish" +
                      (timeout ? " within " + format_duration(*timeout) : ""));
    if (timeout) stop_timer_.start(*timeout);
    return;
  }
  if (is_stopping_) return stop_now("a second signal came");
  if (std::exchange(upgrade_, nullptr)) (void)restore_();
  const bool is_kept = notifier_.has_manager() && may_keep(AF_UNIX);
  return drain(name, is_kept ? Successor::keeps : Successor::none);
}

void Supervisor::drain(const std::string& why, Successor successor) {
  is_stopping_ = true;
  poll_timer_.stop();
  for (const OnReloaded& on_reloaded : std::exchange(waiting_reloads_, {})) {
    on_reloaded({false, {kNotReloaded}});
  }
  const bool is_alone = successor == Successor::none;
  if (!is_alone) leave_files();
  // The signal may have overtaken clients that came before it.
  acceptor_->stop(is_alone ? Acceptor::SocketFiles::remove : Acceptor::SocketFiles::leave);
  is_gone_wanted_.store(true);
  const std::size_t left = connections_.load();
  const config::Timeout& timeout = snapshot_->global.shutdown_timeout;
  log_.write(log::Level::info, log::Event::draining, {},
             why + ": no new connections; " + count_of(left, "connection") + " may finish" +
                 (timeout ? " within " + format_duration(*timeout) : ""),
             {{"connections", std::uint64_t{left}}});
  if (successor != Successor::serves) (void)notifier_.stopping();
  send_all([] { return ToWorker(StopInOrder{}); });
  for (const auto& [id, client] : exec_clients_) client->stop();
  if (timeout) stop_timer_.start(*timeout);
  return leave_if_empty();
}

void Supervisor::leave_if_empty() {
  if (connections_.load() > 0 || is_leaving_) return;
  if (stdio_ != nullptr && (!is_stdio_done_ || is_stdio_connected_)) return;
  for (const auto& [id, client] : exec_clients_) {
    if (!client->is_over()) return;
  }
  is_leaving_ = true;
  stop_timer_.stop();
  answer_all();
  send_all([] { return ToWorker(Leave{}); });
  return loop_.stop();
}

// Whoever still waits for something: the loop turns no more.
void Supervisor::answer_all() {
  administration_->on_leaving();
  for (const OnReloaded& on_reloaded : std::exchange(current_reloads_, {})) {
    on_reloaded({false, {kNotReloaded}});
  }
}

void Supervisor::stop_now(const char* why) {
  if (is_leaving_) return;
  is_leaving_ = true;
  stop_timer_.stop();
  exit_status_ = 1;
  sentry_->end_within(kReset);
  log_.warning(
      {}, std::string(why) + ": " + count_of(connections_.load(), "connection") + " will be reset");
  answer_all();
  for (const auto& [id, client] : exec_clients_) client->terminate();
  send_all([] { return ToWorker(StopNow{}); });
  return loop_.stop();
}

}  // namespace tunnel::runtime
