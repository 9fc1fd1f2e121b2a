// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "balance/layout.h"
#include "base/outcome.h"
#include "capture/recording.h"
#include "runtime/acceptor.h"
#include "runtime/reloader.h"
#include "runtime/snapshot.h"
#include "runtime/status_service.h"
#include "tunnel/address_book.h"
#include "tunnel/closed_connections.h"
#include "tunnel/connection_view.h"
#include "tunnel/service_life.h"

// What the supervisor and its workers tell each other: the only traffic between threads. A message
// names a service by a handle, which keeps it alive, or by an id, which never becomes another's.
namespace tunnel::runtime {

// A worker's bit in ServiceLife::ready_workers. Beyond 64 workers they have none, and get clients
// as if nothing were ready there.
[[nodiscard]] constexpr std::uint64_t worker_bit(std::size_t worker) {
  return worker < 64 ? std::uint64_t{1} << worker : 0;
}

// In force from now on: what it does not hold takes no clients any more.
struct UseSnapshot {
  std::shared_ptr<const Snapshot> snapshot;
};
struct NameAnswered {
  std::string name;
  AddressBook::Answer answer;
};
struct NameForgotten {
  std::string name;
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
// About connections, for an operator: tell of them, or end some. Each worker answers.
struct ConnectionsOrder {
  enum class What { list, end };
  What what = What::list;
  std::uint64_t request = 0;
  // For `end`: of one service, this connection, or all of these targets.
  ServiceId service = 0;
  std::optional<std::uint64_t> connection{};
  std::vector<std::uint64_t> targets{};  // balance::Target::id
  std::optional<Millis> idle{};          // only those on which no byte moved for so long
};
// These captures are in force, and no others.
struct UseCaptures {
  using Recordings = std::vector<std::shared_ptr<capture::Recording>>;
  std::shared_ptr<const Recordings> recordings;
};
struct NoMoreClients {  // an operator has drained the service
  ServiceId service;
};
struct StopInOrder {};  // end each connection as soon as it is idle
struct StopNow {};      // reset what is left, then leave the loop
struct Leave {};        // nothing is left: leave the loop

using ToWorker = std::variant<UseSnapshot, UseCaptures, Accepted, NameAnswered, NameForgotten,
                              TargetsChanged, SlotFreed, TargetChanged, ConnectionsOrder,
                              NoMoreClients, StopInOrder, StopNow, Leave>;

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

struct ConnectionsAnswer {
  std::uint64_t request = 0;
  std::size_t worker = 0;
  std::vector<ConnectionView> connections{};
  std::vector<ClosedView> closed{};
  std::size_t ended = 0;
};

// The HTTP server asks how things are.
using StatusWanted = StatusService::Question;
// A capture has ended by itself, or packets are missing in it.
struct CaptureNews {
  std::uint64_t id = 0;
  bool is_over = false;
  std::string text;  // why
};

// The process has got a signal.
struct Signalled {
  int number;
};

using ToSupervisor =
    std::variant<NameWanted, SlotFreed, TargetChanged, ConnectionGone, StdioDone, Signalled,
                 Reloader::Done, ConnectionsAnswer, StatusWanted, CaptureNews>;

}  // namespace tunnel::runtime
