// SPDX-License-Identifier: MIT
#include "runtime/drains.h"

#include <string>
#include <utility>

namespace tunnel::runtime {
namespace {

using admin::Verdict;

std::uint32_t connections_of(const Drains::Services& services) {
  std::uint32_t connections = 0;
  for (const auto& service : services) connections += service->connections.load();
  return connections;
}

}  // namespace

void Drains::add(Services services, OnVerdict on_verdict) {
  for (const auto& service : services) drained_.insert(service->id);
  waiting_.push_back({std::move(services), std::move(on_verdict)});
}

void Drains::keep_only(const std::set<ServiceId>& services) {
  std::erase_if(drained_, [&](ServiceId id) { return !services.contains(id); });
}

void Drains::look() {
  std::vector<OnVerdict> over;
  std::erase_if(waiting_, [&](Waiting& waiting) {
    if (connections_of(waiting.services) > 0) return false;
    over.push_back(std::move(waiting.on_verdict));
    return true;
  });
  // Only now: an answer may bring the next order, which adds to `waiting_`.
  for (const OnVerdict& on_verdict : over) on_verdict(Verdict::done({"no connection is left"}));
}

void Drains::end() {
  look();
  // The rest gets an answer as well: without one, the command at the other end could not tell this
  // from an instance that hangs.
  for (const Waiting& waiting : std::exchange(waiting_, {})) {
    const std::uint32_t left = connections_of(waiting.services);
    waiting.on_verdict(Verdict::refused(
        "failed", "the process ended while it drained; it reset " + std::to_string(left) +
                      (left == 1 ? " connection" : " connections")));
  }
}

}  // namespace tunnel::runtime
