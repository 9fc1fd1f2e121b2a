// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balance/identity.h"
#include "balance/overrides.h"
#include "base/tally.h"
#include "log/problems.h"

namespace tunnel::admin {

// What the running process tells about itself: plain values, collected on the supervisor's thread
// and handed on. Ages are durations up to the moment of collecting; the control socket, the status
// page and the metrics all print from these.

using Seconds = std::chrono::duration<double>;
using WallTime = std::chrono::system_clock::time_point;

struct AddressStatus {
  std::string address;  // "10.1.1.1:636"
};

struct OverrideStatus {
  balance::Override::What what = balance::Override::What::drain;
  std::uint32_t weight = 0;
  uid_t uid = 0;
  pid_t pid = 0;
  std::optional<Seconds> left;  // until it reverts; nullopt: until the next restart
};

struct KindCount {
  std::string_view kind;
  std::uint64_t count = 0;
};

// What is counted of a target, for the metrics.
struct TargetCounts {
  std::uint64_t target = 0;  // which one: the same target may stand in several groups
  std::uint64_t open = 0;
  std::uint64_t connections = 0;
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
  std::uint64_t ejections = 0;
  std::uint64_t checks_passed = 0;
  std::uint64_t checks_failed = 0;
  std::vector<KindCount> failures;  // those that have happened
  // In seconds since 1970; 0: not known. When its certificate expires, when the first of the
  // certificates does that it was verified with, and until when its stapled OCSP response holds.
  std::int64_t not_after = 0;
  std::int64_t chain_not_after = 0;
  std::int64_t ocsp_until = 0;
  bool is_unresolved = false;
};

// The last active check of a target.
struct CheckStatus {
  Seconds ago{0};
  Seconds took{0};
  std::string_view kind;  // "ok": it passed
  std::string why;
};

struct TargetStatus {
  TargetCounts counts;
  // In words: "up", "ejected" (a dial failed), "down" (its checks failed), "trial" (its ejection is
  // over, nobody has tried it yet), "drained" (weight 0).
  std::string state;
  std::string target;  // as it is written in `connect`
  std::string name;    // the name its certificate must carry, if its table says so
  std::size_t group = 1;
  std::uint32_t weight = 1;
  std::uint32_t connections = 0;  // and attempts
  std::optional<std::uint32_t> max_connections;
  std::string check;  // "UP 2/3", "DOWN 1/2", "no check"
  std::optional<CheckStatus> last_check{};
  std::optional<Seconds> since;          // how long it has been in its state, where that is known
  std::optional<Seconds> ejected_for;    // until its ejection is over
  std::string why;                       // the last failure's sentence
  std::string kind;                      // and its word
  std::vector<AddressStatus> addresses;  // of its name, as DNS has said
  std::optional<Seconds> addresses_age;  // since DNS said so
  std::optional<OverrideStatus> override;
  std::shared_ptr<const balance::Identity> identity{};  // null: it has not shown any
};

struct ConnectionStatus {
  std::string service;
  std::uint64_t id = 0;
  std::string client;
  std::string target;  // empty: none yet
  std::string phase;   // "waiting", "dialling", "open", ...
  Seconds age{0};
  std::optional<uid_t> uid{};   // whose process the client is, where that is known: a unix socket's
  std::optional<Seconds> idle;  // since the last byte either way
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
  std::string tls;
};

// One that is over.
struct ClosedStatus {
  std::string service{};
  std::uint64_t id = 0;
  std::string client{};
  std::string target{};     // the last one tried; empty: none
  std::string_view kind{};  // as the closed line has it
  std::string_view side{};  // who ended it
  bool has_failed = false;
  std::string why{};  // in words; empty where it ended in order
  Seconds ago{0};
  Seconds lasted{0};
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
  std::string tls{};
};

struct HandshakeCount {
  std::string_view version;
  std::string_view group;
  bool is_resumed = false;
  std::uint64_t count = 0;
};

// What is counted of a service, for the metrics.
struct ServiceCounts {
  std::uint64_t denied = 0;
  std::vector<KindCount> closed;  // "ok", and those that have happened
  std::uint64_t open = 0;
  std::uint64_t half_closed = 0;
  std::uint64_t draining = 0;
  HistogramReading resolve, connect, preamble, tls, dial, tries, duration, checks;
  std::vector<HandshakeCount> handshakes;  // those that have happened
  // In seconds since 1970; 0: there is none. When our certificate expires, the first one of tls.ca,
  // the first list of tls.crl.
  std::int64_t client_not_after = 0;
  std::int64_t ca_not_after = 0;
  std::int64_t crl_next_update = 0;
  // Changed credential files: nothing for a service without any.
  struct FileReloads {
    std::uint64_t taken = 0;
    std::uint64_t refused = 0;
    std::int64_t taken_at = 0;  // in seconds since 1970; 0: never
  };
  std::optional<FileReloads> file_reloads;
  std::uint64_t preconnect_used = 0;
  std::uint64_t preconnect_missed = 0;
  bool is_waiting = false;  // clients wait in the kernel's backlog
};

struct ServiceStatus {
  ServiceCounts counts;
  std::string name;
  std::vector<std::string> accept;
  std::string balance;          // the policy's word
  std::string balance_meaning;  // for people: "each in turn"
  bool is_draining = false;
  std::uint32_t connections = 0;
  std::optional<std::uint32_t> max_connections;
  std::uint32_t preconnect = 0;    // how many are to be
  std::uint32_t preconnected = 0;  // established, and waiting for clients
  std::uint64_t accepted = 0;
  std::uint64_t ended = 0;
  std::uint64_t failed = 0;  // of those that ended
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
  std::string no_targets;  // why there are none, when DNS has said so
  std::vector<TargetStatus> targets;
  // For the metrics: those that have left lately, with name and counts only; and by name what had
  // been counted of others before.
  std::vector<TargetStatus> departed;
  std::map<std::string, TargetCounts> past;
};

// How the last attempt to take a changed configuration over went.
struct ReloadStatus {
  WallTime time;
  bool is_successful = true;
  std::vector<std::string> lines;
};

// A capture in force.
struct CaptureStatus {
  std::vector<std::string> services;  // empty: all
  std::string layer;                  // "plain", "wire"
  std::string to;                     // where the packets go, for people
  std::string by;                     // who wanted it
  WallTime since;
  std::uint64_t packets = 0;
  std::uint64_t dropped = 0;
  std::uint64_t bytes = 0;
};

// What the process has given up.
struct SandboxStatus {
  struct Absent {
    std::string part;
    std::string why;
  };
  std::string mode;                   // "auto", "require", "off"
  std::vector<std::string> in_force;  // "files", "system-calls", ...
  std::vector<Absent> absent;
};

struct LevelStatus {
  std::string level;
  std::string service;  // empty: all
  std::string client;   // a range; empty: all
  uid_t uid = 0;
  pid_t pid = 0;
  std::optional<Seconds> left;
};

struct Status {
  std::string version;
  std::string gnutls;  // the libraries in use, for people
  std::string libuv;
  std::uint64_t log_dropped_lines = 0;
  std::uint64_t captured_packets = 0;
  std::uint64_t capture_dropped_packets = 0;
  std::vector<KindCount> dns_answers;  // by how the questions ended
  std::uint64_t stale_names = 0;       // whose last good answer serves on, for want of a newer one
  std::uint64_t reloads = 0;
  std::uint64_t failed_reloads = 0;
  pid_t pid = 0;
  WallTime now;  // when this was collected
  WallTime started;
  std::string config;       // the file's path
  std::string config_hash;  // "sha256:..." of what is in force
  WallTime loaded;          // when that was taken over
  std::string state;        // "running", "draining"
  std::string log_level;
  std::vector<LevelStatus> level_overrides;
  std::vector<CaptureStatus> captures;
  SandboxStatus sandbox;
  unsigned workers = 0;
  std::vector<unsigned> silent_workers;  // those that did not answer in time
  std::uint64_t connections = 0;
  std::vector<ServiceStatus> services;
  std::optional<ReloadStatus> last_reload;
  std::vector<log::Problem> problems;  // the oldest first
  std::vector<std::string> warnings;   // what each start says again: captures, key logs, ...
  std::optional<std::vector<ConnectionStatus>> connection_list;  // if asked for
  std::vector<ClosedStatus> closed;  // the last ones, the oldest first; if workers were asked
};

}  // namespace tunnel::admin
