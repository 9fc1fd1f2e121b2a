// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "admin/admin_actions.h"
#include "admin/control_server.h"
#include "balance/overrides.h"
#include "log/process_log.h"
#include "runtime/acceptor.h"
#include "runtime/captures.h"
#include "runtime/drains.h"
#include "runtime/inquiries.h"
#include "runtime/messages.h"
#include "runtime/ordered_levels.h"
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
    admin::SandboxStatus sandbox{};
    std::function<const Snapshot&()> snapshot;
    std::function<Resolution&()> resolution;
    std::function<Acceptor&()> acceptor;
    std::function<void(ServiceId)> take_no_more;        // clients for this service
    std::function<void(const ConnectionsOrder&)> send;  // to all workers
    // The answer comes as in admin::Verdict.
    std::function<void(OnVerdict)> reload;
    std::function<Captures&()> captures;
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
  // Those that take no clients, whatever the configuration says.
  [[nodiscard]] const std::set<ServiceId>& drained() const { return drains_.services(); }
  // Another snapshot is in force. Names what was dropped.
  std::vector<std::string> on_reloaded();
  void note_reload(bool is_successful, const std::vector<std::string>& lines);
  void on_answer(ConnectionsAnswer answer) { return inquiries_.on_answer(std::move(answer)); }
  // Another process has the control socket.
  void take_no_more_clients() {
    if (server_) server_->take_no_more();
  }
  // The loop turns no more: who still waits is answered now.
  void on_leaving() { return drains_.end(); }

  // admin::AdminActions
  void status(Connections how, std::function<void(admin::Status)> on_status) override;
  void reload(const admin::Operator& by, OnVerdict on_verdict) override;
  void drain(const admin::Operator& by, const std::string& service, OnVerdict on_verdict) override;
  void order(const admin::Operator& by, const TargetOrder& order, OnVerdict on_verdict) override;
  void close(const admin::Operator& by, const std::string& service, std::uint64_t id,
             OnVerdict on_verdict) override;
  void set_log_level(const admin::Operator& by, const LevelOrder& order,
                     OnVerdict on_verdict) override;
  void capture(const admin::Operator& by, const CaptureOrder& order,
               const std::function<Fd()>& take_over, OnVerdict on_verdict) override;
  void config(std::function<void(ConfigInForce)> on_config) override;
  void resolve(const admin::Operator& by, const std::string& service,
               OnVerdict on_verdict) override;

 private:
  void ask_workers(ConnectionsOrder order, Inquiries::OnComplete on_complete);
  void tick();
  void set_timer();
  void note(const admin::Operator& by, const std::string& what);
  [[nodiscard]] const ServiceHandle* find(const std::string& name) const;
  [[nodiscard]] admin::Verdict no_such_service(const std::string& name) const;
  [[nodiscard]] std::vector<balance::Target*> targets_of(const ServiceHandle& service,
                                                         const std::string& name) const;
  [[nodiscard]] admin::Verdict no_such_target(const ServiceHandle& service,
                                              const std::string& name) const;
  [[nodiscard]] admin::Status collect(const Inquiries::Answers& answers, Connections how) const;
  [[nodiscard]] admin::ServiceStatus collect(const ServiceHandle& service,
                                             Acceptor::Listens listens) const;
  [[nodiscard]] admin::TargetStatus collect(const ServiceHandle& service,
                                            const balance::Member& member, std::size_t group) const;
  void add_process(admin::Status& status) const;
  void add_counts(admin::Status& status) const;
  [[nodiscard]] std::vector<admin::LevelStatus> level_overrides() const;
  void add_departed(const ServiceLife& life, admin::ServiceStatus& status) const;
  void add_outage(const balance::Health& health, admin::TargetStatus& status) const;
  void add_answer(const balance::Endpoint& endpoint, admin::TargetStatus& status) const;

  const Process process_;
  const std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  std::chrono::system_clock::time_point loaded_ = started_;
  std::map<ServiceId, balance::Overrides> overrides_;
  OrderedLevels levels_;
  Drains drains_;
  Inquiries inquiries_;
  std::optional<admin::ReloadStatus> last_reload_;
  std::uint64_t reloads_ = 0;
  std::uint64_t failed_reloads_ = 0;
  uv::Timer timer_;
  std::unique_ptr<admin::ControlServer> server_;
};

}  // namespace tunnel::runtime
