// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "balance/health.h"
#include "balance/identity.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/published.h"
#include "base/tally.h"
#include "config/model.h"

namespace tunnel::balance {

// Where a target is and who it must be. Equal endpoints are one target, with one health and one
// count, in whatever group and however often they stand. A value.
struct Endpoint {
  config::Target::Form form = config::Target::Form::name;  // ip, name or unix_socket; never srv
  std::string host;  // name, IP address without brackets, or socket path
  std::uint16_t port = 0;
  std::optional<SocketAddress> address;  // an expanded name: the one address to dial
  std::string name;  // the name its certificate must carry, when the target's table says so
  // It came from an SRV answer and lies outside the queried domain: DNS is not trusted to name it
  // (RFC 6125), so without `name` or `tls.name` its certificate cannot be verified.
  bool is_foreign = false;
  std::string text;  // what logs call it
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// Told when a slot became free, or a target usable, while some connection was waiting for that.
// Called on whatever worker caused it, in the middle of its work: post a message to the workers,
// which then ask their waiting walks again, in the order of their arrival.
class SlotListener {
 public:
  virtual void on_slot_freed() = 0;

 protected:
  ~SlotListener() = default;
};

// How many connections of one backend wait for a slot. Owned by Backend; any thread.
// Nobody is missed: a waiter counts itself and then looks once more, a releaser frees its slot
// and then reads the count, all sequentially consistent, so one of the two sees the other.
class Waiters {
 public:
  explicit Waiters(SlotListener* listener) : listener_(listener) {}
  void enter() { count_.fetch_add(1); }
  void leave() { count_.fetch_sub(1); }
  void notify() {
    if (count_.load() > 0 && listener_ != nullptr) listener_->on_slot_freed();
  }
  [[nodiscard]] std::uint32_t count() const { return count_.load(); }

 private:
  SlotListener* const listener_;
  std::atomic<std::uint32_t> count_{0};
};

// How the last active check went, for people. Immutable.
struct CheckReport {
  TimePoint at{};  // when it was over
  Micros took{0};
  Reason failure;  // kind ok: it passed
};

// What a target has counted since it is known. Any thread.
struct TargetTally {
  explicit TargetTally(std::size_t workers) : traffic(workers) {}
  TrafficByWorker traffic;
  SharedCounter connections;  // established, so far
  SharedCounter open;         // and not ended
  KindCounters failures;      // of dials
  SharedCounter checks_passed, checks_failed;
  ShownIdentity identity;
  Published<CheckReport> last_check;
};

// The state of one target, shared by all workers. Made by Backend, kept alive by the layouts that
// name it and by its own count: one that left the configuration or the DNS answer lives on until
// its last connection has ended. Any thread.
class Target {
 public:
  Target(std::uint64_t id, Endpoint endpoint, const HealthRules& rules, Waiters& waiters,
         std::size_t workers = 1);
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  [[nodiscard]] std::uint64_t id() const { return id_; }  // never used again in this backend
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] const std::string& text() const { return endpoint_.text; }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }  // of the endpoint, the same each run
  [[nodiscard]] const Health& health() const { return health_; }
  [[nodiscard]] TargetTally& tally() { return tally_; }
  [[nodiscard]] const TargetTally& tally() const { return tally_; }
  // Connections and attempts together.
  [[nodiscard]] std::uint32_t in_flight() const { return in_flight_.load(); }

  // The verdict of one active check.
  Transition checked(TimePoint now, CheckResult result, CheckDepth depth,
                     const Reason& reason = {});

 private:
  friend class Claim;
  friend class Backend;

  // Constant after construction.
  const std::uint64_t id_;
  const Endpoint endpoint_;
  const std::uint64_t hash_;
  Waiters& waiters_;
  // Atomic, or locking by itself.
  std::atomic<std::uint32_t> in_flight_{0};
  Health health_;
  TargetTally tally_;
};

}  // namespace tunnel::balance
