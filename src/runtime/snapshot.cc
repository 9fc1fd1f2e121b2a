// SPDX-License-Identifier: MIT
#include "runtime/snapshot.h"

#include <utility>

#include "process/identity.h"
#include "tls/context.h"

namespace tunnel::runtime {
namespace {

void add(Prepared& prepared, const config::Service& service, const std::string& table,
         std::vector<x509::Problem> problems) {
  for (x509::Problem& problem : problems) {
    prepared.problems.push_back({service.name, table + "." + problem.key, problem.index,
                                 std::move(problem.text), std::move(problem.hint)});
  }
}

}  // namespace

Prepared prepare(const config::Config& config, tls::Context::Purpose purpose,
                 SlotFreedFn on_slot_freed) {
  Prepared prepared;
  auto snapshot = std::make_unique<Snapshot>();
  snapshot->global = config.global;
  tls::Context::Shared shared;
  if (const auto identity = process::find_identity(config.global.user, config.global.group)) {
    shared.owner = {identity->uid, identity->gid};
  }
  for (std::size_t index = 0; index < config.services.size(); ++index) {
    const config::Service& service = config.services[index];
    std::unique_ptr<const tls::Context> context;
    std::unique_ptr<const tls::Context> check_context;
    if (service.tls) {
      tls::Context::Loaded loaded = tls::Context::load(*service.tls, shared, purpose);
      add(prepared, service, "tls", std::move(loaded.problems));
      for (const std::string& warning : loaded.warnings) {
        prepared.warnings.push_back({service.name, warning});
      }
      context = std::move(loaded.context);
    }
    if (service.health.tls) {
      tls::Context::Loaded loaded = tls::Context::load(*service.health.tls, shared, purpose);
      add(prepared, service, "health.tls", std::move(loaded.problems));
      for (const std::string& warning : loaded.warnings) {
        prepared.warnings.push_back({service.name, "health." + warning});
      }
      check_context = std::move(loaded.context);
    }
    snapshot->services.push_back(
        std::make_unique<ServiceState>(service, std::move(context), std::move(check_context),
                                       [on_slot_freed, index] { on_slot_freed(index); }));
  }
  snapshot->warnings = prepared.warnings;
  if (prepared.problems.empty()) prepared.snapshot = std::move(snapshot);
  return prepared;
}

}  // namespace tunnel::runtime
