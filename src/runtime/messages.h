// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "balance/layout.h"
#include "base/outcome.h"
#include "runtime/acceptor.h"
#include "tunnel/address_book.h"
#include "tunnel/service_state.h"

// What the supervisor and its workers tell each other: the only traffic between threads.
namespace tunnel::runtime {

struct NameAnswered {
  std::string name;
  AddressBook::Answer answer;
};
struct TargetsChanged {
  std::size_t service;
  std::shared_ptr<const balance::Layout> layout;
  std::string error;  // why there are none, when DNS has said so
};
struct SlotFreed {  // some connection waits for a target at its max_connections
  std::size_t service;
};
struct TargetChanged {  // ejected or restored, and that moves connections
  std::size_t service;
  TargetChange change;
};
struct StopInOrder {};  // end each connection as soon as it is idle
struct StopNow {};      // reset what is left, then leave the loop
struct Leave {};        // nothing is left: leave the loop

using ToWorker = std::variant<Accepted, NameAnswered, TargetsChanged, SlotFreed, TargetChanged,
                              StopInOrder, StopNow, Leave>;

struct NameWanted {
  std::string name;
};
// Makes one message for each worker: most cannot be copied.
using ToWorkerFactory = std::function<ToWorker()>;

// Sent while the acceptor or an orderly stop waits for it, and always for a service with one
// client.
struct ConnectionGone {
  std::size_t service;
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
    std::variant<NameWanted, SlotFreed, TargetChanged, ConnectionGone, StdioDone, Signalled>;

}  // namespace tunnel::runtime
