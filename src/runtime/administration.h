// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "admin/admin_actions.h"
#include "admin/control_server.h"
#include "balance/overrides.h"
#include "log/process_log.h"
#include "runtime/acceptor.h"
#include "runtime/messages.h"
#include "runtime/resolution.h"
#include "runtime/snapshot.h"
#include "tunnel/address_book.h"
#include "uv/loop.h"
#include "uv/timer.h"

namespace tunnel::runtime {

// Carries operators' orders out, and tells them how things are: what stands between the control
// socket and the process. Keeps what was ordered against the configuration: overrides of targets,
// levels of the log, services that are drained. Supervisor's loop; owned by the Supervisor.
class Administration final : public admin::AdminActions {
 public:
  // What it needs of the process. All of it outlives this.
  struct Process {
    uv::Loop& loop;
    log::ProcessLog& log;
    AddressBook& book;
    std::size_t workers = 1;
    std::string config;  // the file's path
    std::function<const Snapshot&()> snapshot;
    std::function<Resolution&()> resolution;
    std::function<Acceptor&()> acceptor;
    std::function<void(const ConnectionsOrder&)> send;  // to all workers
    // The answer comes as in admin::Verdict.
    std::function<void(OnVerdict)> reload;
    std::function<bool()> is_stopping;
  };
  // `listening` is -1 without a control socket.
  Administration(Process process, int listening);
  ~Administration();
  Administration(const Administration&) = delete;
  Administration& operator=(const Administration&) = delete;

  // The overrides of a service applied to its arrangement.
  [[nodiscard]] balance::Arrangement adjusted(ServiceId service,
                                              const balance::Arrangement& arrangement) const;
  // Another snapshot is in force. Names what was dropped.
  std::vector<std::string> on_reloaded();
  void note_reload(bool is_successful, const std::vector<std::string>& lines);
  void on_answer(ConnectionsAnswer answer);

  // admin::AdminActions
  void status(Connections how, std::function<void(admin::Status)> on_status) override;
  void reload(const admin::Operator& by, OnVerdict on_verdict) override;
  void drain(const admin::Operator& by, const std::string& service, OnVerdict on_verdict) override;
  void order(const admin::Operator& by, const TargetOrder& order, OnVerdict on_verdict) override;
  void close(const admin::Operator& by, const std::string& service, std::uint64_t id,
             OnVerdict on_verdict) override;
  void set_log_level(const admin::Operator& by, const LevelOrder& order,
                     OnVerdict on_verdict) override;
  void config(std::function<void(ConfigInForce)> on_config) override;
  void resolve(const admin::Operator& by, const std::string& service,
               OnVerdict on_verdict) override;

 private:
  // An order that workers answer; complete when all have, or when its time is over.
  struct Pending {
    std::set<std::size_t> silent;  // workers that have not answered
    std::vector<ConnectionView> connections;
    std::size_t ended = 0;
    TimePoint until;
    std::function<void(Pending)> on_complete;
  };
  struct LevelInForce {
    LevelOrder order;
    admin::Operator by;
    std::optional<TimePoint> until;
  };
  struct Draining {
    std::string service;  // "" is all
    OnVerdict on_verdict;
  };

  void ask_workers(ConnectionsOrder order, std::function<void(Pending)> on_complete);
  void complete(std::uint64_t request);
  void tick();
  void set_timer();
  void use_levels();
  void rebuild(ServiceId service);
  void note(const admin::Operator& by, const std::string& what);
  [[nodiscard]] const ServiceHandle* find(const std::string& name) const;
  [[nodiscard]] admin::Verdict no_such_service(const std::string& name) const;
  [[nodiscard]] std::vector<balance::Target*> targets_of(const ServiceHandle& service,
                                                         const std::string& name) const;
  [[nodiscard]] admin::Verdict no_such_target(const ServiceHandle& service,
                                              const std::string& name) const;
  [[nodiscard]] bool is_empty(const std::string& service) const;
  [[nodiscard]] admin::Status collect(const Pending& answers, Connections how) const;
  [[nodiscard]] admin::ServiceStatus collect(const ServiceHandle& service) const;
  [[nodiscard]] admin::TargetStatus collect(const ServiceHandle& service,
                                            const balance::Member& member,
                                            std::size_t group) const;

  const Process process_;
  const std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  std::chrono::system_clock::time_point loaded_ = started_;
  std::map<ServiceId, balance::Overrides> overrides_;
  std::vector<LevelInForce> levels_;
  std::set<ServiceId> drained_;
  std::vector<Draining> draining_;
  std::optional<admin::ReloadStatus> last_reload_;
  std::map<std::uint64_t, Pending> pending_;
  std::uint64_t last_request_ = 0;
  uv::Timer timer_;
  std::unique_ptr<admin::ControlServer> server_;
};

}  // namespace tunnel::runtime
