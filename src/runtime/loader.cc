// SPDX-License-Identifier: MIT
#include "runtime/loader.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "base/text.h"
#include "config/changes.h"
#include "runtime/confinement.h"
#include "runtime/passed_accepts.h"

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

// A service whose new addresses the process may not bind goes on at those that it has; a new one
// does without them. Says what that leaves out.
std::vector<std::string> leave_out(config::Config& config, const std::vector<ListenPlace>& places,
                                   const Snapshot& in_force) {
  std::vector<std::string> left_out;
  for (const ListenPlace& place : places) {
    left_out.push_back(place.address.to_string() + " of [" + place.service +
                       "] (ports below 1024 need root or CAP_NET_BIND_SERVICE, which this process "
                       "does not have now)");
    const auto service =
        std::find_if(config.services.begin(), config.services.end(),
                     [&](const config::Service& each) { return each.name == place.service; });
    const auto old =
        std::find_if(in_force.services.begin(), in_force.services.end(),
                     [&](const ServiceHandle& each) { return each.life->name == place.service; });
    if (old != in_force.services.end()) {
      service->accept = old->settings().accept;
    } else {
      std::erase_if(service->accept,
                    [&](const config::Accept& accept) { return accept.address == place.address; });
    }
  }
  return left_out;
}

// What could not be read may be one of these.
std::vector<std::string> files_of(const config::Config& config) {
  std::vector<std::string> files;
  for (const config::Service& service : config.services) {
    std::vector<std::string> its = credential_files(service);
    std::move(its.begin(), its.end(), std::back_inserter(files));
  }
  return files;
}

// One process a connection: they cannot all have one address for their status.
bool is_on_stdio(const std::vector<ServiceHandle>& services) {
  return std::any_of(services.begin(), services.end(), [](const ServiceHandle& service) {
    const std::vector<config::Accept>& accepts = service.settings().accept;
    return std::any_of(accepts.begin(), accepts.end(), [](const config::Accept& accept) {
      return accept.form == config::Accept::Form::stdio;
    });
  });
}

}  // namespace

// Builds at most twice. Where the only thing in the way is a port that the process may not bind any
// more, the second build leaves that out: one new low port must not keep the rest of a file from
// coming into force.
Build Loader::load_again(const Previous& previous) {
  config::Document document = read_();
  // Compared with what the process began with, not with what the last reload asked for: otherwise
  // the warning would come once and never again.
  auto for_restart = config::keys_for_restart(first_.config.global, document.config.global);
  keep_fixed(document.config.global);
  Build next = build(document, previous);
  if (!next.not_permitted.empty()) {
    auto left_out = leave_out(document.config, next.not_permitted, *previous.snapshot);
    std::move(left_out.begin(), left_out.end(), std::back_inserter(for_restart));
    next = build(document, previous);
  }
  next.for_restart = std::move(for_restart);
  return next;
}

// Why files cannot be read that could be at the start; empty when it is not that.
std::string Loader::lost_rights(const std::vector<std::string>& files) const {
  if (!was_root_ || ::geteuid() == 0) return {};
  std::string unreadable;
  for (const std::string& file : files) {
    // A file that is not there has nothing to do with rights.
    if (::faccessat(AT_FDCWD, file.c_str(), R_OK, AT_EACCESS) == 0 || errno != EACCES) continue;
    if (!unreadable.empty()) unreadable += ", ";
    unreadable += printable(file, 4096);
  }
  if (unreadable.empty()) return {};
  return "the process was root when it started and is user " + std::to_string(::geteuid()) +
         " now, who may not read " + unreadable +
         ": a restart takes the change over, a reload can only if that user may read it";
}

sandbox::Needs Loader::needs() const { return needs_of_process(first_); }

// What of it the sandbox forbids; empty when it is not that.
std::string Loader::outside(const sandbox::Needs& needs) const {
  return sandbox_ == nullptr ? std::string() : sandbox_->refusal(needs);
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
  global.sandbox = first.sandbox;
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
  if (!prepared.snapshot) {
    for (std::string why : {lost_rights(files_of(config)), outside(needs_of(config))}) {
      if (!why.empty()) build.problems.push_back(std::move(why));
    }
  }
  build.snapshot = std::move(prepared.snapshot);
  return build;
}

FileOwner Loader::owner() const {
  return identity_ ? FileOwner{identity_->uid, identity_->gid} : FileOwner{};
}

// What is wrong with the configuration, and what else may be the reason.
Build Loader::refused(const config::Document& document) const {
  Build build;
  build.diagnostics = document.render();
  std::vector<std::string> files = files_of(document.config);
  files.push_back(first_.config.path);
  for (std::string why : {lost_rights(files), outside(needs_of(document))}) {
    if (!why.empty()) build.problems.push_back(std::move(why));
  }
  return build;
}

// In the order of what each step costs to take back. Reading and asking the sandbox leave nothing
// behind, loading reads files, and binding comes last: a bound socket is seen from outside, and a
// client may be in its backlog before the Build is dropped.
Build Loader::build(config::Document& document, const Previous& previous) const {
  if (!document.has_errors()) look_up_passed(document, passed_);
  if (document.has_errors()) return refused(document);
  Build build;
  // Before anything is opened: the kernel's answer from inside is EACCES, which would send people
  // to look at modes and owners.
  if (std::string why = outside(needs_of(document)); !why.empty()) {
    build.problems.push_back(std::move(why));
    return build;
  }
  if (identity_) own_sockets(document.config, *identity_);
  Prepared prepared = prepare(document.config, tls::Context::Purpose::run, previous.snapshot.get());
  if (!prepared.snapshot) {
    report(document, prepared.problems);
    return refused(document);
  }
  for (const config::Diagnostic& warning : document.diagnostics()) {
    prepared.snapshot->warnings.push_back(
        {"", document.place(warning.position) + ": " + warning.text});
  }
  std::vector<const config::Service*> services;
  for (const ServiceHandle& service : prepared.snapshot->services) {
    // An address that is bound takes clients into its backlog, if only for a moment.
    if (previous.drained.contains(service.life->id)) continue;
    services.push_back(&service.settings());
  }
  Bound bound = bind_all(services, previous.places, &passed_);
  build.problems = std::move(bound.problems);
  StatusSockets status;
  if (!is_on_stdio(prepared.snapshot->services)) {
    status = bind_status(prepared.snapshot->global, owner(), previous.status, &passed_);
  }
  build.problems.insert(build.problems.end(), status.problems.begin(), status.problems.end());
  if (!build.problems.empty()) {
    // With another problem besides, a build without these would fail all the same.
    if (bound.not_permitted.size() == build.problems.size()) {
      build.not_permitted = std::move(bound.not_permitted);
    }
    return build;
  }
  build.listeners = std::move(bound.listeners);
  build.status = std::move(status.sockets);
  build.snapshot = std::move(prepared.snapshot);
  return build;
}

}  // namespace tunnel::runtime
