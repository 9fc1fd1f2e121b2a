// SPDX-License-Identifier: MIT
#include "runtime/status_service.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace tunnel::runtime {
namespace {

bool is_same(const std::vector<StatusSocket>& a, const std::vector<StatusSocket>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.socket == y.socket; });
}

}  // namespace

void StatusService::use(std::vector<StatusSocket> sockets, const std::vector<std::string>& hosts) {
  // One that could not be started is tried again with every reload.
  const bool is_served = server_ != nullptr;
  if ((is_served || sockets.empty()) && is_same(sockets, sockets_) && hosts == hosts_) return;
  // First, and it waits for the thread: the server knows its sockets by their numbers, which the
  // system gives to others once these are closed.
  server_.reset();
  std::vector<StatusSocket> before = std::exchange(sockets_, std::move(sockets));
  if (!is_served) before.clear();
  hosts_ = hosts;
  if (sockets_.empty()) return;
  std::vector<int> listening;
  for (const StatusSocket& each : sockets_) {
    each.socket->own_file();
    listening.push_back(each.socket->fd());
  }
  const std::uint64_t number = ++servers_;
  web::Server::Settings settings{
      .listening = std::move(listening),
      .hosts = hosts_,
      .ask =
          [this, number](std::uint64_t request, admin::AdminActions::Connections how) {
            settings_.ask({number, request, how});
          },
      .look = [this] { return look(); }};
  // A reload may come to this when the process has no descriptor to spare: its tunnels go on.
  if (auto loop = uv::Loop::make()) {
    server_ = std::make_unique<web::Server>(std::move(settings), std::move(loop));
  }
  if (!server_ || !server_->start()) {
    server_.reset();
    return settings_.log.error({},
                               "status is not served: its server cannot be started, for want of "
                               "descriptors, threads or memory; look at the process's limits");
  }
  return announce(before);
}

void StatusService::announce(const std::vector<StatusSocket>& before) const {
  for (const StatusSocket& each : sockets_) {
    const bool is_old = std::any_of(before.begin(), before.end(), [&](const StatusSocket& old) {
      return old.socket == each.socket;
    });
    if (is_old) continue;
    const std::string address = each.socket->address().to_string();
    settings_.log.write(log::Level::info, log::Event::listening, {},
                        "serving status at " + (each.wanted.is_unix() ? printable(address, 4096)
                                                                      : "http://" + address + "/"),
                        {{"address", std::string_view(address)}});
  }
}

// On the server's thread: touches what never changes.
std::vector<web::LoopState> StatusService::look() const {
  std::vector<web::LoopState> states;
  for (const Loop& loop : settings_.loops) {
    // Read first and asked then: the answer to this question is for the next look.
    states.push_back({loop.name, loop.beat->take_lag(), loop.beat->silent()});
    loop.beat->ask();
  }
  return states;
}

void StatusService::answer(const Question& question, admin::Status status) {
  // Asked by a server that has been replaced since: the numbers of requests begin anew with each.
  if (!server_ || question.server != servers_) return;
  server_->answer(question.request, std::make_shared<const admin::Status>(std::move(status)));
}

void StatusService::stop() { server_.reset(); }

void StatusService::leave_files() {
  for (const StatusSocket& each : sockets_) each.socket->leave_file();
}

}  // namespace tunnel::runtime
