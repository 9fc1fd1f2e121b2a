// SPDX-License-Identifier: MIT
#include "runtime/loader.h"

#include "config/changes.h"

namespace tunnel::runtime {
namespace {

// Sockets are made before the identity changes, but belong to who the process will be: the default
// of unix_owner.
void own_sockets(config::Config& config, const process::Identity& identity) {
  for (config::Service& service : config.services) {
    config::UnixOwner& owner = service.unix_owner;
    const bool is_default = !owner.uid && !owner.gid;
    if (!owner.uid) owner.uid = identity.uid;
    if (is_default) owner.gid = identity.gid;
  }
}

}  // namespace

Build Loader::load_again(const Previous& previous) {
  config::Document document = read_();
  auto for_restart = config::keys_for_restart(first_.config.global, document.config.global);
  keep_fixed(document.config.global);
  Build next = build(document, previous);
  next.for_restart = std::move(for_restart);
  return next;
}

// What a process is, it is from its start: what follows from these keys (where the log goes, who
// owns files) must not follow from values that are not in force.
void Loader::keep_fixed(config::Global& global) const {
  const config::Global& first = first_.config.global;
  global.foreground = first.foreground;
  global.pid_file = first.pid_file;
  global.workers = first.workers;
  global.user = first.user;
  global.group = first.group;
  global.control = first.control;
}

Build Loader::load_credentials(const Previous& previous, ServiceId service) const {
  config::Config config;
  config.global = previous.snapshot->global;
  for (const ServiceHandle& each : previous.snapshot->services) {
    config.services.push_back(each.settings());
  }
  Build build;
  Prepared prepared = prepare(config, tls::Context::Purpose::run, previous.snapshot.get(), service);
  for (const LoadProblem& problem : prepared.problems) {
    build.problems.push_back("[" + problem.service + "] " + problem.key + ": " + problem.text);
  }
  build.snapshot = std::move(prepared.snapshot);
  return build;
}

Build Loader::build(config::Document& document, const Previous& previous) const {
  Build build;
  if (document.has_errors()) {
    build.diagnostics = document.render();
    return build;
  }
  if (identity_) own_sockets(document.config, *identity_);
  Prepared prepared =
      prepare(document.config, tls::Context::Purpose::run, previous.snapshot.get());
  if (!prepared.snapshot) {
    report(document, prepared.problems);
    build.diagnostics = document.render();
    return build;
  }
  for (const config::Diagnostic& warning : document.diagnostics()) {
    prepared.snapshot->warnings.push_back(
        {"", document.place(warning.position) + ": " + warning.text});
  }
  std::vector<const config::Service*> services;
  for (const ServiceHandle& service : prepared.snapshot->services) {
    services.push_back(&service.settings());
  }
  Bound bound = bind_all(services, previous.places);
  build.problems = std::move(bound.problems);
  if (previous.snapshot && bound.lacks_privilege) {
    build.problems.emplace_back(
        "the process has given up the right to ports below 1024, so it takes a restart");
  }
  if (!build.problems.empty()) return build;
  build.listeners = std::move(bound.listeners);
  build.snapshot = std::move(prepared.snapshot);
  return build;
}

}  // namespace tunnel::runtime
