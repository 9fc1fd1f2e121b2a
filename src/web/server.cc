// SPDX-License-Identifier: MIT
#include "web/server.h"

#include <algorithm>
#include <utility>

#include "admin/status_json.h"
#include "base/thread.h"
#include "web/chosen_connections.h"
#include "web/exposition.h"
#include "web/page.h"
#include "web/readiness.h"

namespace tunnel::web {
namespace {

using Connections = admin::AdminActions::Connections;

constexpr Millis kTick{1'000};
// The request whose answer is a sample for the plots; those of clients have other numbers.
constexpr std::uint64_t kSample = 0;

Connections how_for(const Query& query) {
  switch (query.route) {
    case Route::page:
    case Route::connections:
      // Each worker is asked, and describes every connection that it has.
      return Connections::listed;
    case Route::status:
      return Connections::counted;
    default:
      return Connections::unasked;
  }
}

// What others have sent may be no UTF-8.
Response json(const admin::Json& value) {
  return {200, "application/json",
          value.dump(2, ' ', false, admin::Json::error_handler_t::replace) + "\n"};
}

Response refusal(unsigned status, std::string_view reason) {
  return {status, "text/plain; charset=utf-8", std::string(reason) + "\n"};
}

}  // namespace

Server::Server(Settings settings, std::unique_ptr<uv::Loop> loop)
    : settings_(std::move(settings)),
      loop_(std::move(loop)),
      mailbox_(*loop_, [this](const Answer& answer) { on_answer(answer); }),
      tick_timer_(*loop_, [this] { tick(); }),
      daemon_(*loop_, settings_.listening,
              [this](std::uint64_t id, const Request& request) { on_request(id, request); }) {}

Server::~Server() {
  if (!thread_.joinable()) return;
  mailbox_.send({});
  thread_.join();
}

bool Server::start() {
  if (!daemon_.is_ready()) return false;
  look();
  tick_timer_.start(kTick);
  auto thread = start_thread("status", [this] { loop_->run(); });
  if (!thread) return false;
  thread_ = std::move(*thread);
  return true;
}

void Server::answer(std::uint64_t request, std::shared_ptr<const admin::Status> status) {
  mailbox_.send({request, std::move(status)});
}

// A request is refused at once, or waits in `waiting_` while the supervisor collects a status. The
// answer comes back by the mailbox; one that does not come is given up by tick().
void Server::on_request(std::uint64_t id, const Request& request) {
  const Decision decision = decide(request, settings_.hosts);
  if (!decision.route) return daemon_.respond(id, refusal(decision.status, decision.reason));
  // Answered on this thread: it must not need the loops that it is about.
  if (*decision.route == Route::livez) return daemon_.respond(id, liveness());
  const Query query = query_of(*decision.route, request);
  // Less than HttpDaemon::kTimeLimit: the client is to hear what is wrong before its time is over.
  waiting_[id] = {query, loop_->now() + kPatience};
  return settings_.ask(id, how_for(query));
}

void Server::on_answer(const Answer& answer) {
  if (!answer.status) return loop_->stop();
  if (answer.request == kSample) return history_.add(loop_->now(), *answer.status);
  const auto found = waiting_.find(answer.request);
  if (found == waiting_.end()) return;
  const Query query = std::move(found->second.query);
  waiting_.erase(found);
  return daemon_.respond(answer.request, rendered(query, *answer.status));
}

void Server::look() {
  std::vector<LoopState> now = settings_.look();
  // Each look takes the loops' own maximum away, so it is kept here until a scrape has shown it.
  for (std::size_t i = 0; i < loops_.size(); ++i) now[i].lag = std::max(now[i].lag, loops_[i].lag);
  loops_ = std::move(now);
}

// Also looks who has waited too long for the supervisor.
void Server::tick() {
  look();
  tick_timer_.start(kTick);
  if (loop_->now() >= sample_at_) {
    sample_at_ = loop_->now() + History::kPeriod;
    // Without the workers, who may be busy: this comes every few seconds for as long as the process
    // lives.
    settings_.ask(kSample, Connections::unasked);
  }
  std::vector<std::uint64_t> late;
  for (const auto& [id, waiting] : waiting_) {
    if (waiting.until <= loop_->now()) late.push_back(id);
  }
  for (const std::uint64_t id : late) {
    waiting_.erase(id);
    daemon_.respond(id, refusal(503, "the main thread does not answer"));
  }
}

Response Server::liveness() const {
  std::string silent;
  for (const LoopState& loop : loops_) {
    if (loop.silent < kSilence) continue;
    silent += (silent.empty() ? "" : ", ") + loop.name;
  }
  if (silent.empty()) return {.body = "alive\n"};
  return refusal(503, "no turn of the event loop for five seconds: " + silent);
}

Response Server::exposition(const Query& query, const admin::Status& status) {
  look();
  const auto families = metrics(status, loops_, ProcessUse::of_this_process());
  for (LoopState& loop : loops_) loop.lag = admin::Seconds(0);
  if (query.is_open_metrics) return {200, kOpenMetricsType, open_metrics_text(families)};
  return {200, kPrometheusType, prometheus_text(families)};
}

Response Server::rendered(const Query& query, const admin::Status& status) {
  switch (query.route) {
    case Route::page:
      return {.type = "text/html; charset=utf-8", .body = page(status, query, history_)};
    case Route::status:
      return json(admin::to_json(status));
    case Route::connections:
      return json(listing(status, query));
    case Route::metrics:
      return exposition(query, status);
    case Route::readyz: {
      const std::string missing =
          why_not_ready(status, query.with_targets ? Targets::wanted : Targets::ignored);
      return missing.empty() ? Response{.body = "ready\n"} : refusal(503, missing);
    }
    default:
      return refusal(404, "there is no such page");
  }
}

}  // namespace tunnel::web
