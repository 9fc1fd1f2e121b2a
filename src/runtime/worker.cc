// SPDX-License-Identifier: MIT
#include "runtime/worker.h"

#include <pthread.h>
#include <signal.h>

#include <random>
#include <string>
#include <utility>

namespace tunnel::runtime {

Worker::Worker(std::size_t index, Shared shared)
    : index_(index),
      shared_(std::move(shared)),
      book_(loop_, [this](const std::string& name) { shared_.report(NameWanted{name}); }),
      random_(std::random_device{}()),
      mailbox_(loop_, [this](ToWorker message) { on_message(std::move(message)); }) {
  for (const auto& state : shared_.services) {
    ServiceState& service = *state;
    services_.push_back(std::make_unique<Service>(loop_, shared_.log, book_, service, random_,
                                                  [this, &service] { connection_gone(service); }));
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
  if (std::holds_alternative<StopInOrder>(message)) {
    for (const auto& service : services_) service->stop_when_idle();
    return;
  }
  if (std::holds_alternative<StopNow>(message)) {
    for (const auto& service : services_) service->abort();
  }
  return loop_.stop();
}

void Worker::connection_gone(ServiceState& service) {
  service.connections.fetch_sub(1);
  connections.fetch_sub(1);
  shared_.connections.fetch_sub(1);
  if (shared_.is_gone_wanted.load()) shared_.report(ConnectionGone{});
}

}  // namespace tunnel::runtime
