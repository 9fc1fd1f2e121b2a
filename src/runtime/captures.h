// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "admin/admin_actions.h"
#include "admin/operator.h"
#include "admin/status.h"
#include "base/fd.h"
#include "capture/recording.h"
#include "log/log.h"
#include "runtime/messages.h"
#include "runtime/snapshot.h"

namespace tunnel::runtime {

// The captures in force: those of the configuration, and those that operators read live. Begins and
// ends them, and tells the workers. Supervisor's loop; owned by the Supervisor.
class Captures {
 public:
  struct Process {
    log::Log& log;
    std::size_t workers = 0;
    std::function<void(const UseCaptures&)> send;  // to all workers
    std::function<void(CaptureNews)> report;       // any thread: comes back by on_news()
  };
  explicit Captures(Process process) : process_(std::move(process)) {}
  ~Captures();
  Captures(const Captures&) = delete;
  Captures& operator=(const Captures&) = delete;

  // Those of the snapshot, from now on: what is configured as before goes on, and so do live ones.
  void use(const Snapshot& snapshot);
  // A live one, which writes to `socket`, behind `prologue`.
  void begin(const admin::Operator& by, const admin::AdminActions::CaptureOrder& order, Fd socket,
             std::string prologue);
  void on_news(const CaptureNews& news);
  // When nothing comes any more: writes the ends of all.
  void finish();
  [[nodiscard]] std::vector<admin::CaptureStatus> status() const;
  // Of all captures since the start of the process.
  [[nodiscard]] capture::Recording::Totals totals() const;
  [[nodiscard]] bool has_room() const;

 private:
  struct Entry {
    std::shared_ptr<capture::Recording> recording;
    std::string service;  // whose configuration it is of; empty: live
    std::string name;     // for people
    std::string ending;   // why it is to leave; it writes the rest before it goes
  };
  using Entries = std::map<std::uint64_t, Entry>;

  void begin_configured(const ServiceHandle& service);
  [[nodiscard]] Entries::iterator find_configured(const std::string& service);
  void begin(Entry entry, std::unique_ptr<capture::Sink> sink, std::string prologue);
  [[nodiscard]] std::shared_ptr<capture::Recording> make(capture::Recording::Settings settings);
  void end(Entries::iterator entry, const std::string& why);
  void tell() const;

  const Process process_;
  Entries entries_;
  // To be captured when the recording before, of the same service, has let go of its files.
  std::map<std::string, ServiceHandle> waiting_;
  // Configured ones that have ended by themselves (a duration, a full disk), by their services: a
  // reload that leaves them as they are does not begin them again.
  std::map<std::string, config::Capture> over_;
  capture::Recording::Totals ended_;  // of those that are over
  std::uint64_t last_id_ = 0;
};

}  // namespace tunnel::runtime
