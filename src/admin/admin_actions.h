// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "admin/operator.h"
#include "admin/status.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/fd.h"
#include "log/level.h"

namespace tunnel::admin {

// The one way from the control socket and the status page into the process; runtime implements it.
// Called on the supervisor's thread. Each answer comes once, later or at once, on that thread; who
// asked may have gone by then. No call waits.
class AdminActions {
 public:
  using OnVerdict = std::function<void(Verdict)>;

  // Whether the workers are asked, who may be busy, and how much of what they tell is wanted.
  // `unasked` is answered at once.
  enum class Connections { unasked, counted, listed };
  virtual void status(Connections how, std::function<void(Status)> on_status) = 0;

  virtual void reload(const Operator& by, OnVerdict on_verdict) = 0;
  // No new clients for the service, or for all ("" is all); the verdict comes when no connection is
  // left.
  virtual void drain(const Operator& by, const std::string& service, OnVerdict on_verdict) = 0;

  struct Drain {};
  struct Eject {};
  struct Enable {};  // as the configuration says
  struct Weight {
    std::uint32_t weight = 1;
  };
  struct Kick {
    std::optional<Millis> idle;  // only connections on which no byte moved for so long
  };
  struct TargetOrder {
    std::string service;
    std::string target;
    std::variant<Drain, Eject, Enable, Weight, Kick> what;
    std::optional<Millis> lasting;  // nullopt: until the next restart
  };
  virtual void order(const Operator& by, const TargetOrder& order, OnVerdict on_verdict) = 0;

  virtual void close(const Operator& by, const std::string& service, std::uint64_t id,
                     OnVerdict on_verdict) = 0;

  struct LevelOrder {
    log::Level level = log::Level::info;
    std::string service;         // empty: all
    std::optional<Cidr> client;  // nullopt: all
    std::optional<Millis> lasting;
  };
  virtual void set_log_level(const Operator& by, const LevelOrder& order, OnVerdict on_verdict) = 0;

  struct CaptureOrder {
    std::vector<std::string> services;  // empty: all
    bool is_wire = false;
    std::vector<Cidr> clients;  // empty: all
    std::optional<std::uint64_t> snaplen;
    std::optional<std::uint64_t> max_size;
    std::optional<Millis> lasting;
  };
  // The packets go to the connection of who asks, behind the answer, until it is closed. The
  // verdict comes only when it is refused.
  virtual void capture(const Operator& by, const CaptureOrder& order,
                       const std::function<Fd()>& take_over, OnVerdict on_verdict) = 0;

  struct ConfigInForce {
    std::string path;
    std::string hash;
    std::string text;  // TOML, secrets masked
  };
  virtual void config(std::function<void(ConfigInForce)> on_config) = 0;

  // Asks DNS for the names of a service ("": of all) now.
  virtual void resolve(const Operator& by, const std::string& service, OnVerdict on_verdict) = 0;

 protected:
  ~AdminActions() = default;
};

}  // namespace tunnel::admin
