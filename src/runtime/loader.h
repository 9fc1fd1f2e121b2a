// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/document.h"
#include "process/identity.h"
#include "process/passed_sockets.h"
#include "runtime/listening_socket.h"
#include "runtime/snapshot.h"
#include "runtime/status_sockets.h"
#include "sandbox/sandbox.h"

namespace tunnel::runtime {

// Everything that a configuration needs to be served, loaded and bound but not yet in force:
// dropping it leaves nothing behind. Made by the Loader, put in force by the Supervisor.
struct Build {
  std::shared_ptr<const Snapshot> snapshot;  // null when something is wrong
  std::vector<Bound::Entry> listeners;       // those that were not at hand
  // Where status is served; nullopt: as before.
  std::optional<std::vector<StatusSocket>> status;
  // What is wrong, for people: the configuration's errors with their source lines, or sentences
  // about addresses that cannot be bound.
  std::string diagnostics;
  std::vector<std::string> problems;
  // The addresses that the process has no right to bind, when nothing else is wrong.
  std::vector<ListenPlace> not_permitted;
  // What the configuration says otherwise now than what stays in force until a restart: keys that
  // make the process what it is, addresses that it cannot bind any more.
  std::vector<std::string> for_restart;
};

// Turns the configuration into a Build, at the start and for each reload alike. Blocking; one
// thread at a time.
class Loader {
 public:
  // What a reload builds upon.
  struct Previous {
    std::shared_ptr<const Snapshot> snapshot;
    std::vector<ListenPlace> places;  // where the process listens
    std::set<ServiceId> drained;      // these take no clients, so nothing is bound for them
    std::vector<StatusSocket> status;
  };
  // `read` reads the configuration as it is now, with what the command line said; it must not
  // depend on the working folder.
  using Read = std::function<config::Document()>;
  // `passed` must outlive this.
  Loader(config::Document first, Read read, process::PassedSockets& passed)
      : first_(std::move(first)), read_(std::move(read)), passed_(passed) {}

  // The process is in there from now on; it must outlive this.
  void confine(const sandbox::Sandbox& sandbox) { sandbox_ = &sandbox; }
  // What the process needs of the system for what read() has given for the start. To be asked
  // before it becomes another user.
  [[nodiscard]] sandbox::Needs needs() const;

  // What read() has given for the start.
  [[nodiscard]] const config::Config& config() const { return first_.config; }
  // Who the process is to be; an error when there is no such user or group.
  [[nodiscard]] const Result<process::Identity>& identity() const { return identity_; }

  [[nodiscard]] Build load_first() { return build(first_, {}); }
  [[nodiscard]] Build load_again(const Previous& previous);
  // The configuration in force, with the credentials of one service read again.
  [[nodiscard]] Build load_credentials(const Previous& previous, ServiceId service) const;

 private:
  [[nodiscard]] Build build(config::Document& document, const Previous& previous) const;
  [[nodiscard]] Build refused(const config::Document& document) const;
  [[nodiscard]] FileOwner owner() const;  // of socket files
  void keep_fixed(config::Global& global) const;
  [[nodiscard]] std::string lost_rights(const std::vector<std::string>& files) const;
  [[nodiscard]] std::string outside(const sandbox::Needs& needs) const;

  config::Document first_;
  const Read read_;
  const bool was_root_ = ::geteuid() == 0;  // at the start, before it became `user`
  process::PassedSockets& passed_;
  const sandbox::Sandbox* sandbox_ = nullptr;  // null: not yet
  const Result<process::Identity> identity_ =
      process::find_identity(first_.config.global.user, first_.config.global.group);
};

}  // namespace tunnel::runtime
