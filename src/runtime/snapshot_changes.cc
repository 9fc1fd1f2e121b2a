// SPDX-License-Identifier: MIT
#include "runtime/snapshot_changes.h"

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "config/changes.h"

namespace tunnel::runtime {
namespace {

config::Config config_of(const Snapshot& snapshot) {
  config::Config config;
  config.global = snapshot.global;
  for (const ServiceHandle& service : snapshot.services) {
    config.services.push_back(service.settings());
  }
  return config;
}

std::string kept(std::uint32_t connections) {
  return std::to_string(connections) +
         (connections == 1 ? " connection kept" : " connections kept");
}

using ByName = std::unordered_map<std::string_view, const ServiceHandle*>;

ByName by_name(const Snapshot& snapshot) {
  ByName services;
  for (const ServiceHandle& service : snapshot.services) {
    services.emplace(service.life->name, &service);
  }
  return services;
}

const ServiceHandle* find(const ByName& services, const std::string& name) {
  const auto found = services.find(name);
  return found == services.end() ? nullptr : found->second;
}

// `old` and `now`: the service in either snapshot, or null.
std::string describe(const config::ServiceChange& change, const ServiceHandle* old,
                     const ServiceHandle* now) {
  using What = config::ServiceChange::What;
  const std::uint32_t connections = old != nullptr ? old->life->connections.load() : 0;
  switch (change.what) {
    case What::added:
      return "added";
    case What::removed:
      return "removed, " + kept(connections) + " as on_removed says";
    case What::changed:
      return enumerated(change.phrases, ", ") + ", " + kept(connections);
    case What::unchanged:
      break;
  }
  return (old->config == now->config ? "unchanged, " : "credentials read again, ") +
         kept(connections);
}

}  // namespace

std::vector<std::string> describe_changes(const Snapshot& before, const Snapshot& after) {
  std::vector<std::string> lines;
  const ByName old_services = by_name(before);
  const ByName new_services = by_name(after);
  for (const config::ServiceChange& change : config::changes(config_of(before), config_of(after))) {
    lines.push_back(
        printable(change.name) + ": " +
        describe(change, find(old_services, change.name), find(new_services, change.name)));
  }
  return lines;
}

}  // namespace tunnel::runtime
