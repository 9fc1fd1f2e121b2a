// SPDX-License-Identifier: MIT
// What Administration tells about the process as a whole; services are in
// administration_services.cc.
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "config/print.h"
#include "log/level.h"
#include "runtime/administration.h"
#include "runtime/status_counts.h"
#include "tls/library.h"
#include "uv/library.h"

namespace tunnel::runtime {
namespace {

admin::ConnectionStatus to_status(const ConnectionView& view) {
  return {.service = view.service,
          .id = view.id,
          .client = view.client,
          .target = view.target,
          .phase = view.phase,
          .age = view.age,
          .uid = view.uid,
          .idle = view.idle ? std::optional<admin::Seconds>(*view.idle) : std::nullopt,
          .bytes_up = view.bytes_up,
          .bytes_down = view.bytes_down,
          .tls = view.tls};
}

admin::ClosedStatus to_status(const ClosedView& view, TimePoint now) {
  return {.service = view.service,
          .id = view.id,
          .client = view.client,
          .target = view.target,
          .kind = tunnel::word(view.outcome.kind),
          .side = tunnel::word(view.outcome.side),
          .has_failed = view.outcome.has_failed(),
          .why = view.outcome.text,
          .ago = std::max(Millis(0), now - view.at),  // a worker's loop may be ahead
          .lasted = view.total,
          .bytes_up = view.bytes_up,
          .bytes_down = view.bytes_down,
          .tls = negotiated_text(view.negotiated)};
}

// The last ones of all loops.
std::vector<admin::ClosedStatus> last_of(std::vector<ClosedView> views, TimePoint now) {
  std::stable_sort(views.begin(), views.end(), [](const ClosedView& a, const ClosedView& b) {
    return std::pair(a.at, a.id) < std::pair(b.at, b.id);
  });
  std::vector<admin::ClosedStatus> last;
  const std::size_t left_out = views.size() - std::min(views.size(), ClosedConnections::kMost);
  for (std::size_t i = left_out; i < views.size(); ++i) last.push_back(to_status(views[i], now));
  return last;
}

// What the file holds and must not be shown.
config::Config masked(const Snapshot& snapshot) {
  config::Config config;
  config.global = snapshot.global;
  for (const ServiceHandle& handle : snapshot.services) {
    config::Service service = handle.settings();
    if (service.smtp_login) service.smtp_login->password = "MASKED";
    for (config::Proxy& proxy : service.proxies) {
      if (!proxy.password.empty()) proxy.password = "MASKED";
      for (std::string& header : proxy.headers) {
        header = header.substr(0, header.find(':')) + ": MASKED";
      }
    }
    config.services.push_back(std::move(service));
  }
  return config;
}

}  // namespace

void Administration::status(Connections how, std::function<void(admin::Status)> on_status) {
  if (how == Connections::unasked) return on_status(collect(Inquiries::Answers{}, how));
  return ask_workers(
      {.what = ConnectionsOrder::What::list},
      [this, how, on_status = std::move(on_status)](const Inquiries::Answers& answers) {
        return on_status(collect(answers, how));
      });
}

void Administration::config(std::function<void(ConfigInForce)> on_config) {
  const Snapshot& snapshot = process_.snapshot();
  return on_config({process_.config, snapshot.hash, config::print(masked(snapshot))});
}

admin::Status Administration::collect(const Inquiries::Answers& answers, Connections how) const {
  admin::Status status;
  add_process(status);
  add_counts(status);
  for (const std::size_t worker : answers.silent) {
    status.silent_workers.push_back(static_cast<unsigned>(worker));
  }
  auto listens = process_.acceptor().listens();
  for (const ServiceHandle& service : process_.snapshot().services) {
    status.services.push_back(collect(service, std::move(listens[service.life->id])));
    status.connections += status.services.back().connections;
  }
  if (how == Connections::listed) {
    status.connection_list.emplace();
    for (const ConnectionView& view : answers.connections) {
      status.connection_list->push_back(to_status(view));
    }
  }
  if (how != Connections::unasked) {
    std::vector<ClosedView> closed = answers.closed;
    process_.acceptor().closed().append_to(closed);
    status.closed = last_of(std::move(closed), process_.loop.now());
  }
  return status;
}

// What it is and which configuration is in force.
void Administration::add_process(admin::Status& status) const {
  const Snapshot& snapshot = process_.snapshot();
  status.version = TUNNEL_VERSION;
  status.pid = ::getpid();
  status.now = std::chrono::system_clock::now();
  status.started = started_;
  status.config = process_.config;
  status.config_hash = snapshot.hash;
  status.gnutls = tls::library_version();
  status.libuv = uv::library_version();
  status.state = process_.is_stopping() ? "draining" : "running";
  status.sandbox = process_.sandbox;
  status.workers = static_cast<unsigned>(process_.workers);
  status.log_level = log::word(process_.log.level());
  status.level_overrides = level_overrides();
  status.loaded = loaded_;
  status.last_reload = last_reload_;
  for (const Warning& warning : snapshot.warnings) {
    status.warnings.push_back(warning.service.empty() ? warning.text
                                                      : warning.service + ": " + warning.text);
  }
}

// What has happened since it started.
void Administration::add_counts(admin::Status& status) const {
  status.reloads = reloads_;
  status.failed_reloads = failed_reloads_;
  status.log_dropped_lines = process_.log.dropped_lines();
  status.problems = process_.log.problems();
  status.captures = process_.captures().status();
  const auto captured = process_.captures().totals();
  status.captured_packets = captured.packets;
  status.capture_dropped_packets = captured.dropped;
  status.dns_answers = counts_of(process_.resolution().names().answers());
  status.stale_names = process_.resolution().names().stale();
}

std::vector<admin::LevelStatus> Administration::level_overrides() const {
  std::vector<admin::LevelStatus> overrides;
  for (const OrderedLevels::Entry& level : levels_.entries()) {
    admin::LevelStatus shown;
    shown.level = log::word(level.order.level);
    shown.service = level.order.service;
    shown.client = level.order.client ? level.order.client->to_string() : "";
    shown.uid = level.by.uid;
    shown.pid = level.by.pid;
    if (level.until) shown.left = *level.until - process_.loop.now();
    overrides.push_back(std::move(shown));
  }
  return overrides;
}

}  // namespace tunnel::runtime
