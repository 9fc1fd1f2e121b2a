// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "admin/admin_actions.h"
#include "admin/status.h"
#include "base/clock.h"
#include "uv/loop.h"
#include "uv/mailbox.h"
#include "uv/timer.h"
#include "web/history.h"
#include "web/http_daemon.h"
#include "web/metrics.h"
#include "web/request.h"

namespace tunnel::web {

// The status page, metrics and answers for health checks over HTTP, for reading only. On a thread
// and a loop of its own: no client of it is in the way of a connection. What the process is like it
// asks the supervisor, and does not wait for that longer than kPatience. Owned by the Supervisor.
class Server {
 public:
  static constexpr Millis kPatience{4'000};
  // A loop that has not turned for so long is not alive.
  static constexpr Millis kSilence{5'000};

  struct Settings {
    std::vector<int> listening;      // non-blocking; they stay the caller's and must outlive this
    std::vector<std::string> hosts;  // names for Host headers
    // Called on the server's thread; answer() follows, or never.
    std::function<void(std::uint64_t request, admin::AdminActions::Connections how)> ask;
    // How the loops are; called on the server's thread, once a second at least.
    std::function<std::vector<LoopState>()> look;
  };

  Server(Settings settings, std::unique_ptr<uv::Loop> loop);
  ~Server();  // joins; who has not been answered is cut off
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // False: nobody can be served, for want of descriptors or memory.
  [[nodiscard]] bool start();
  // Any thread. One that nobody waits for any more is dropped.
  void answer(std::uint64_t request, std::shared_ptr<const admin::Status> status);

 private:
  struct Answer {
    std::uint64_t request = 0;
    std::shared_ptr<const admin::Status> status;  // null: the server is to end
  };
  // A request that waits for the supervisor.
  struct Waiting {
    Query query;
    TimePoint until;
  };

  void on_request(std::uint64_t id, const Request& request);
  void on_answer(const Answer& answer);
  void tick();
  void look();
  [[nodiscard]] Response exposition(const Query& query, const admin::Status& status);
  [[nodiscard]] Response liveness() const;
  [[nodiscard]] Response rendered(const Query& query, const admin::Status& status);

  const Settings settings_;
  const std::unique_ptr<uv::Loop> loop_;
  uv::Mailbox<Answer> mailbox_;
  uv::Timer tick_timer_;
  std::unordered_map<std::uint64_t, Waiting> waiting_;
  std::vector<LoopState> loops_;  // their lag is the longest since the last scrape
  History history_;
  TimePoint sample_at_{};
  HttpDaemon daemon_;
  std::thread thread_;
};

}  // namespace tunnel::web
