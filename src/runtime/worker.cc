// SPDX-License-Identifier: MIT
#include "runtime/worker.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>

#include <random>
#include <string>
#include <utility>

namespace tunnel::runtime {
namespace {

// So many connections leave about 1 MiB of free pages behind.
constexpr std::size_t kGoneWorthTrimming = 100;
constexpr Millis kQuiet{1000};

}  // namespace

Worker::Worker(std::size_t index, Shared shared)
    : index_(index),
      shared_(std::move(shared)),
      book_(loop_, shared_.address_history,
            [this](const std::string& name) { shared_.report(NameWanted{name}); }),
      random_(std::random_device{}()),
      mailbox_(loop_, [this](ToWorker message) { on_message(std::move(message)); }),
      pulse_(loop_),
      trim_timer_(loop_, [this] { give_memory_back(); }) {
  for (std::size_t service = 0; service < shared_.services.size(); ++service) {
    services_.push_back(std::make_unique<Service>(
        loop_, shared_.log, book_, shared_.remembered, *shared_.services[service], random_,
        [this, service](const Outcome& outcome) { connection_gone(service, outcome); },
        [this, service](const TargetChange& change) {
          shared_.report(TargetChanged{service, change});
        }));
  }
}

Worker::~Worker() { join(); }

void Worker::start() {
  thread_ = std::thread([this] {
    // Signals are the supervisor's.
    sigset_t all;
    (void)::sigfillset(&all);
    (void)::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    (void)::pthread_setname_np(::pthread_self(), ("worker-" + std::to_string(index_)).c_str());
    loop_.run();
    pulse_.end();
  });
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::on_message(ToWorker message) {
  if (auto* accepted = std::get_if<Accepted>(&message)) {
    return services_[accepted->service]->take(std::move(accepted->socket), accepted->client,
                                              accepted->id);
  }
  if (auto* answered = std::get_if<NameAnswered>(&message)) {
    return book_.update(answered->name, std::move(answered->answer));
  }
  if (auto* changed = std::get_if<TargetsChanged>(&message)) {
    return services_[changed->service]->set_targets(std::move(changed->layout),
                                                    std::move(changed->error));
  }
  if (const auto* freed = std::get_if<SlotFreed>(&message)) {
    return services_[freed->service]->on_slot_freed();
  }
  if (const auto* target = std::get_if<TargetChanged>(&message)) {
    return services_[target->service]->target_changed(target->change);
  }
  if (std::holds_alternative<StopInOrder>(message)) {
    for (const auto& service : services_) service->stop_when_idle();
    return;
  }
  if (std::holds_alternative<StopNow>(message)) {
    for (const auto& service : services_) service->abort();
  }
  return loop_.stop();
}

void Worker::connection_gone(std::size_t which, const Outcome& outcome) {
  ServiceState& service = *shared_.services[which];
  service.connections.fetch_sub(1);
  connections.fetch_sub(1);
  shared_.connections.fetch_sub(1);
  ++gone_since_trim_;
  if (gone_since_trim_ >= kGoneWorthTrimming && !trim_timer_.is_active()) trim_timer_.start(kQuiet);
  if (service.has_one_client() || shared_.is_gone_wanted.load()) {
    shared_.report(ConnectionGone{which, outcome});
  }
}

// glibc keeps the pages of freed sessions for itself: after a crowd has left they would stay in our
// resident memory for ever. While connections come and go the pages are in use, and asking costs
// milliseconds: so only once it is quiet.
void Worker::give_memory_back() {
  const bool is_quiet = gone_since_trim_ == gone_at_last_look_;
  gone_at_last_look_ = gone_since_trim_;
  if (!is_quiet) return trim_timer_.start(kQuiet);
  gone_since_trim_ = gone_at_last_look_ = 0;
  (void)::malloc_trim(0);
}

}  // namespace tunnel::runtime
