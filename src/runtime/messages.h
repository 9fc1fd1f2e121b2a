// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "balance/layout.h"
#include "base/outcome.h"
#include "runtime/acceptor.h"
#include "runtime/reloader.h"
#include "runtime/snapshot.h"
#include "tunnel/address_book.h"
#include "tunnel/service_life.h"

// What the supervisor and its workers tell each other: the only traffic between threads. A message
// names a service by a handle, which keeps it alive, or by an id, which never becomes another's.
namespace tunnel::runtime {

// In force from now on: what it does not hold takes no clients any more.
struct UseSnapshot {
  std::shared_ptr<const Snapshot> snapshot;
};
struct NameAnswered {
  std::string name;
  AddressBook::Answer answer;
};
struct TargetsChanged {
  ServiceHandle service;
  std::shared_ptr<const balance::Layout> layout;
  std::string error;  // why there are none, when DNS has said so
};
struct SlotFreed {  // some connection waits for a target at its max_connections
  ServiceId service;
};
struct TargetChanged {  // ejected or restored, and that moves connections
  ServiceId service;
  TargetChange change;
};
struct StopInOrder {};  // end each connection as soon as it is idle
struct StopNow {};      // reset what is left, then leave the loop
struct Leave {};        // nothing is left: leave the loop

using ToWorker = std::variant<UseSnapshot, Accepted, NameAnswered, TargetsChanged, SlotFreed,
                              TargetChanged, StopInOrder, StopNow, Leave>;

struct NameWanted {
  std::string name;
};
// Makes one message for each worker: most cannot be copied.
using ToWorkerFactory = std::function<ToWorker()>;

// Sent while the acceptor or an orderly stop waits for it, and always for a service with one
// client.
struct ConnectionGone {
  ServiceId service;
  Outcome outcome;
};
// Standard input and output are done with; `error` is why they could not go on.
struct StdioDone {
  std::string error;
};

// The process has got a signal.
struct Signalled {
  int number;
};

using ToSupervisor =
    std::variant<NameWanted, SlotFreed, TargetChanged, ConnectionGone, StdioDone, Signalled,
                 Reloader::Done>;

}  // namespace tunnel::runtime
