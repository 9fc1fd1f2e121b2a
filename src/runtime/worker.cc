// SPDX-License-Identifier: MIT
#include "runtime/worker.h"

#include <malloc.h>

#include <algorithm>
#include <random>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/thread.h"

namespace tunnel::runtime {
namespace {

// So many connections leave about 1 MiB of free pages behind.
constexpr std::size_t kGoneWorthTrimming = 100;
constexpr Millis kQuiet{1000};

}  // namespace

Worker::Worker(Settings settings)
    : settings_(std::move(settings)),
      book_(loop_, settings_.address_history,
            [this](const std::string& name) { settings_.report(NameWanted{name}); }),
      random_(std::random_device{}()),
      mailbox_(loop_, [this](ToWorker message) { on_message(std::move(message)); }),
      pulse_(loop_),
      beat_(loop_),
      trim_timer_(loop_, [this] { give_memory_back(); }) {}

Worker::~Worker() { join(); }

Result<void> Worker::start() {
  auto thread = start_thread("worker-" + std::to_string(settings_.index), [this] {
    loop_.run();
    pulse_.end();
  });
  if (!thread) return tl::make_unexpected(std::move(thread.error()));
  thread_ = std::move(*thread);
  return {};
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::on_message(ToWorker message) {
  if (const auto* next = std::get_if<UseSnapshot>(&message)) return use(*next->snapshot);
  if (const auto* captures = std::get_if<UseCaptures>(&message)) {
    return use_captures(*captures->recordings);
  }
  if (auto* accepted = std::get_if<Accepted>(&message)) {
    return service_of(accepted->service)
        .take(std::move(accepted->socket), accepted->client, accepted->id);
  }
  if (auto* answered = std::get_if<NameAnswered>(&message)) {
    return book_.update(answered->name, std::move(answered->answer));
  }
  if (const auto* forgotten = std::get_if<NameForgotten>(&message)) {
    return book_.forget(forgotten->name);
  }
  if (auto* changed = std::get_if<TargetsChanged>(&message)) {
    return use_targets(std::move(*changed));
  }
  if (const auto* freed = std::get_if<SlotFreed>(&message)) {
    return for_each(freed->service, [](Service& service) { service.on_slot_freed(); });
  }
  if (const auto* target = std::get_if<TargetChanged>(&message)) {
    return for_each(target->service,
                    [&](Service& service) { service.target_changed(target->change); });
  }
  if (const auto* order = std::get_if<ConnectionsOrder>(&message)) return answer(*order);
  if (const auto* drained = std::get_if<NoMoreClients>(&message)) {
    return for_each(drained->service, [](Service& service) { service.stop_preconnecting(); });
  }
  if (std::holds_alternative<StopInOrder>(message)) {
    return for_each([](Service& service) { service.stop_when_idle(); });
  }
  if (std::holds_alternative<StopNow>(message)) {
    // And leaves, as `Leave` does.
    for_each([](Service& service) { service.abort(); });
  }
  return loop_.stop();
}

void Worker::answer(const ConnectionsOrder& order) {
  ConnectionsAnswer result{.request = order.request, .worker = settings_.index};
  if (order.what == ConnectionsOrder::What::list) {
    for_each([&](Service& service) { service.describe(result.connections); });
    closed_.append_to(result.closed);
  } else {
    for_each(order.service, [&](Service& service) {
      result.ended += service.end_some(
          {.connection = order.connection, .targets = order.targets, .idle = order.idle});
    });
  }
  return settings_.report(std::move(result));
}

// What has not changed goes on as it is; the rest retires.
void Worker::use(const Snapshot& snapshot) {
  std::unordered_set<const ServiceConfig*> in_force;
  std::unordered_set<ServiceId> alive;
  for (const ServiceHandle& handle : snapshot.services) {
    in_force.insert(handle.config.get());
    alive.insert(handle.life->id);
  }
  for_each([&](Service& service) {
    if (in_force.contains(service.handle().config.get())) return;
    service.retire();
    if (!alive.contains(service.handle().life->id)) service.see_off_all();
  });
  for (const ServiceHandle& handle : snapshot.services) (void)service_of(handle);
  return loop_.at_end_of_turn(*this);
}

// The first targets of a new configuration tell which of the old ones are gone.
void Worker::use_targets(TargetsChanged changed) {
  Service& service = service_of(changed.service);
  const bool is_first = service.layout() == nullptr;
  service.set_targets(changed.layout, std::move(changed.error));
  if (!is_first) return;
  return for_each(changed.service.life->id, [&](Service& old) {
    if (&old != &service) old.see_off_removed(*changed.layout);
  });
}

Service& Worker::service_of(const ServiceHandle& handle) {
  Generations& generations = services_[handle.life->id];
  const auto found = std::find_if(generations.begin(), generations.end(), [&](const auto& service) {
    return service->handle().config == handle.config;
  });
  if (found != generations.end()) return **found;
  Service& made = *generations.emplace_back(std::make_unique<Service>(Service::Settings{
      .service = handle,
      .surroundings = {loop_, settings_.log, book_, random_, settings_.index},
      .remembered = settings_.remembered,
      .on_gone = [this](const Service& service,
                        const Connection& connection) { connection_gone(service, connection); },
      .on_target_changed =
          [this, id = handle.life->id](const TargetChange& change) {
            settings_.report(TargetChanged{id, change});
          },
      .spares = spares_of(handle.settings()),
      .worker_bit = worker_bit(settings_.index),
  }));
  // Captures that began before it was made are of its connections, too.
  made.use_captures(captures_);
  return made;
}

void Worker::use_captures(const UseCaptures::Recordings& recordings) {
  const auto before = std::exchange(captures_, {});
  for (const auto& recording : recordings) {
    const auto known = std::find_if(before.begin(), before.end(), [&](const auto& source) {
      return source.recording == recording;
    });
    // A lane belongs to one worker and one recording: a known one goes on with what it has
    // collected.
    captures_.push_back(
        known != before.end() ? *known : capture::Source{recording, recording->make_lane(loop_)});
  }
  return for_each([this](Service& service) { service.use_captures(captures_); });
}

// `preconnect` is for all workers together.
std::size_t Worker::spares_of(const config::Service& service) const {
  const std::size_t rest = service.preconnect % settings_.workers;
  return service.preconnect / settings_.workers + (settings_.index < rest ? 1 : 0);
}

void Worker::for_each(const std::function<void(Service&)>& visit) {
  for (const auto& [id, generations] : services_) {
    for (const auto& service : generations) visit(*service);
  }
}

void Worker::for_each(ServiceId id, const std::function<void(Service&)>& visit) {
  const auto found = services_.find(id);
  if (found == services_.end()) return;
  for (const auto& service : found->second) visit(*service);
}

void Worker::connection_gone(const Service& service, const Connection& connection) {
  closed_.note(loop_.now(), connection.record());
  const ServiceHandle& handle = service.handle();
  // Counted down first, and only then is the flag read: the Acceptor sets its flag before it reads
  // the counts, so one of the two sees the other (Acceptor::update_watches).
  handle.life->connections.fetch_sub(1);
  connections.fetch_sub(1);
  settings_.connections.fetch_sub(1);
  ++gone_since_trim_;
  if (gone_since_trim_ >= kGoneWorthTrimming && !trim_timer_.is_active()) trim_timer_.start(kQuiet);
  // It is on the stack.
  if (service.is_over()) loop_.at_end_of_turn(*this);
  if (handle.config->has_one_client() || settings_.is_gone_wanted.load()) {
    settings_.report(ConnectionGone{handle.life->id, connection.outcome()});
  }
}

// Lets the services go that have retired and lost their last connection.
void Worker::on_end_of_turn() {
  for (auto& [id, generations] : services_) {
    std::erase_if(generations, [](const auto& service) { return service->is_over(); });
  }
  std::erase_if(services_, [](const auto& each) { return each.second.empty(); });
}

// glibc keeps the pages of freed sessions for itself: after a crowd has left they would stay in our
// resident memory forever. While connections come and go the pages are in use, and asking costs
// milliseconds: so only once it is quiet.
void Worker::give_memory_back() {
  const bool is_quiet = gone_since_trim_ == gone_at_last_look_;
  gone_at_last_look_ = gone_since_trim_;
  if (!is_quiet) return trim_timer_.start(kQuiet);
  gone_since_trim_ = gone_at_last_look_ = 0;
  (void)::malloc_trim(0);
}

}  // namespace tunnel::runtime
