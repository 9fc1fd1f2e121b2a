// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "admin/admin_actions.h"
#include "log/log.h"
#include "runtime/beat.h"
#include "runtime/status_sockets.h"
#include "web/server.h"

namespace tunnel::runtime {

// The HTTP server of `status` in the process: there while some address is configured, made anew
// when that changes. Supervisor's thread, apart from what says otherwise; owned by the Supervisor.
class StatusService {
 public:
  // A question of the server's, on its way to the supervisor. Which server asked is part of it: the
  // answer may come when that one has gone.
  struct Question {
    std::uint64_t server = 0;
    std::uint64_t request = 0;
    admin::AdminActions::Connections how = admin::AdminActions::Connections::unasked;
  };
  struct Loop {
    std::string name;
    Beat* beat;
  };
  struct Settings {
    log::Log& log;
    std::vector<Loop> loops;            // the beats must outlive this
    std::function<void(Question)> ask;  // any thread
  };

  explicit StatusService(Settings settings) : settings_(std::move(settings)) {}
  ~StatusService() = default;
  StatusService(const StatusService&) = delete;
  StatusService& operator=(const StatusService&) = delete;

  // In force from now on. Does nothing where nothing has changed and all is served.
  void use(std::vector<StatusSocket> sockets, const std::vector<std::string>& hosts);
  void answer(const Question& question, admin::Status status);
  void stop();
  // The files of its unix sockets stay when this goes.
  void leave_files();
  [[nodiscard]] const std::vector<StatusSocket>& sockets() const { return sockets_; }

 private:
  [[nodiscard]] std::vector<web::LoopState> look() const;
  void announce(const std::vector<StatusSocket>& before) const;

  const Settings settings_;
  std::vector<StatusSocket> sockets_;
  std::vector<std::string> hosts_;
  std::uint64_t servers_ = 0;            // so far: the present one's number
  std::unique_ptr<web::Server> server_;  // uses the sockets
};

}  // namespace tunnel::runtime
