// SPDX-License-Identifier: MIT
#include "web/metrics.h"

#include <array>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

namespace tunnel::web {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

double since_1970(admin::WallTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

double number(std::uint64_t value) { return static_cast<double>(value); }
double yes(bool is) { return is ? 1 : 0; }

// One family while it is filled; families do not move meanwhile.
class Family {
 public:
  explicit Family(MetricFamily& family) : family_(family) {}

  void add(Labels labels, double value) {
    ClientMetric& metric = family_.metric.emplace_back();
    metric.label = std::move(labels);
    (family_.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  }
  // One that nothing has been added to says nothing, and would be most of the text.
  void add(Labels labels, const HistogramReading& reading) {
    if (reading.count() == 0) return;
    ClientMetric& metric = family_.metric.emplace_back();
    metric.label = std::move(labels);
    metric.histogram.sample_count = reading.count();
    metric.histogram.sample_sum = reading.sum;
    for (std::size_t i = 0; i < reading.cumulative.size(); ++i) {
      metric.histogram.bucket.push_back(
          {reading.cumulative[i], i < reading.bounds.size()
                                      ? reading.bounds[i]
                                      : std::numeric_limits<double>::infinity()});
    }
  }

 private:
  MetricFamily& family_;
};

class Families {
 public:
  Family gauge(const char* name, const char* help) { return add(name, help, MetricType::Gauge); }
  Family counter(const char* name, const char* help) {
    return add(name, help, MetricType::Counter);
  }
  Family histogram(const char* name, const char* help) {
    return add(name, help, MetricType::Histogram);
  }
  [[nodiscard]] std::vector<MetricFamily> take() {
    std::vector<MetricFamily> all;
    for (MetricFamily& family : families_) {
      if (!family.metric.empty()) all.push_back(std::move(family));
    }
    return all;
  }

 private:
  Family add(const char* name, const char* help, MetricType type) {
    return Family(families_.emplace_back(MetricFamily{name, help, type, {}}));
  }
  std::deque<MetricFamily> families_;
};

void add_process(Families& families, const admin::Status& status,
                 const std::vector<LoopState>& loops, const ProcessUse& use) {
  families.gauge("tunnel_build_info", "Version of the program and of its libraries; always 1.")
      .add({{"version", status.version}, {"gnutls", status.gnutls}, {"libuv", status.libuv}}, 1);
  families.gauge("process_start_time_seconds", "When the process was started, since 1970.")
      .add({}, since_1970(status.started));
  families.counter("process_cpu_seconds_total", "CPU time of the process, user and system.")
      .add({}, use.cpu_seconds);
  families.gauge("process_resident_memory_bytes", "Resident memory.").add({}, use.resident_bytes);
  families.gauge("process_open_fds", "Open file descriptors.").add({}, use.open_fds);
  families.gauge("process_max_fds", "File descriptors that may be open.").add({}, use.max_fds);
  Family lag = families.gauge(
      "tunnel_worker_loop_lag_seconds",
      "How long the event loop took to turn when it was asked to, the longest since the last scrape.");
  for (const LoopState& loop : loops) lag.add({{"worker", loop.name}}, loop.lag.count());
  families.counter("tunnel_log_dropped_lines_total", "Lines of the log that its full queue has cost.")
      .add({}, number(status.log_dropped_lines));
}

void add_configuration(Families& families, const admin::Status& status) {
  families
      .gauge("tunnel_config_last_reload_successful",
             "Whether the last attempt to take a changed configuration over succeeded.")
      .add({}, yes(!status.last_reload || status.last_reload->is_successful));
  families
      .gauge("tunnel_config_last_reload_success_timestamp_seconds",
             "When the configuration in force was taken over, since 1970.")
      .add({}, since_1970(status.loaded));
  Family reloads =
      families.counter("tunnel_config_reloads_total", "Attempts to take a changed configuration over.");
  reloads.add({{"result", "ok"}}, number(status.reloads));
  reloads.add({{"result", "failed"}}, number(status.failed_reloads));
  families.gauge("tunnel_config_info", "Hash of the configuration in force; always 1.")
      .add({{"hash", status.config_hash}}, 1);
}

void add_connections(Families& families, const std::vector<admin::ServiceStatus>& services) {
  Family accepted = families.counter("tunnel_connections_accepted_total", "Clients accepted.");
  Family closed = families.counter("tunnel_connections_closed_total",
                                   "Connections that are over, by the kind of their closed lines.");
  Family open = families.gauge("tunnel_connections_open", "Connections, by where they stand.");
  Family limit = families.gauge("tunnel_connections_limit", "max_connections, where it is set.");
  Family bytes = families.counter("tunnel_bytes_total",
                                  "Plaintext carried, also by connections that are open.");
  for (const admin::ServiceStatus& service : services) {
    const admin::ServiceCounts& counts = service.counts;
    const std::string& name = service.name;
    accepted.add({{"service", name}}, number(service.accepted + counts.denied));
    for (const admin::KindCount& kind : counts.closed) {
      closed.add({{"service", name}, {"kind", std::string(kind.kind)}}, number(kind.count));
    }
    // They are read one after the other, while connections move on.
    const std::uint64_t established = counts.open + counts.half_closed + counts.draining;
    const std::uint64_t dialling =
        service.connections > established ? service.connections - established : 0;
    open.add({{"service", name}, {"state", "dialling"}}, number(dialling));
    open.add({{"service", name}, {"state", "open"}}, number(counts.open));
    open.add({{"service", name}, {"state", "half_closed"}}, number(counts.half_closed));
    open.add({{"service", name}, {"state", "draining"}}, number(counts.draining));
    if (service.max_connections) limit.add({{"service", name}}, number(*service.max_connections));
    bytes.add({{"service", name}, {"direction", "up"}}, number(service.bytes_up));
    bytes.add({{"service", name}, {"direction", "down"}}, number(service.bytes_down));
  }
}

void add_dials(Families& families, const std::vector<admin::ServiceStatus>& services) {
  Family phases = families.histogram("tunnel_dial_phase_duration_seconds",
                                     "How long the phases of attempts at targets took.");
  Family dials = families.histogram("tunnel_dial_duration_seconds",
                                    "From accepting a client until a target was established.");
  Family tries =
      families.histogram("tunnel_dial_tries", "Targets that were tried for one connection.");
  Family durations = families.histogram("tunnel_connection_duration_seconds",
                                        "From accepting a client until its connection was over.");
  Family handshakes =
      families.counter("tunnel_tls_handshakes_total", "Completed TLS handshakes with targets.");
  for (const admin::ServiceStatus& service : services) {
    const admin::ServiceCounts& counts = service.counts;
    const std::string& name = service.name;
    phases.add({{"service", name}, {"phase", "resolve"}}, counts.resolve);
    phases.add({{"service", name}, {"phase", "connect"}}, counts.connect);
    phases.add({{"service", name}, {"phase", "preamble"}}, counts.preamble);
    phases.add({{"service", name}, {"phase", "tls"}}, counts.tls);
    dials.add({{"service", name}}, counts.dial);
    tries.add({{"service", name}}, counts.tries);
    durations.add({{"service", name}}, counts.duration);
    for (const admin::HandshakeCount& handshake : counts.handshakes) {
      handshakes.add({{"service", name},
                      {"version", std::string(handshake.version)},
                      {"group", std::string(handshake.group)},
                      {"resumed", handshake.is_resumed ? "true" : "false"}},
                     number(handshake.count));
    }
  }
}

// Targets that have one label: the same one in several groups, or those beyond kMostTargets.
struct Labelled {
  std::string name;
  std::string_view state;
  std::uint32_t weight = 0;
  std::map<std::string_view, std::uint64_t> failures;
  admin::TargetCounts sum;
};

std::string_view state_word(const admin::TargetStatus& target) {
  if (target.state == "drained") return "draining";
  if (target.state == "down") return "down";
  if (target.state == "ejected" || target.state == "trial") return "ejected";
  return target.counts.is_unresolved ? "unresolved" : "up";
}

std::vector<Labelled> labelled(const admin::ServiceStatus& service) {
  std::vector<Labelled> all;
  std::map<std::string_view, std::size_t> places;
  std::map<std::uint64_t, bool> seen;
  for (const admin::TargetStatus& target : service.targets) {
    const bool has_room = places.size() < kMostTargets || places.contains(target.target);
    const std::string_view name = has_room ? std::string_view(target.target) : "other";
    const auto [place, is_new] = places.emplace(name, all.size());
    if (is_new) all.push_back({std::string(name), state_word(target), target.weight, {}, {}});
    if (!std::exchange(seen[target.counts.target], true)) {
      Labelled& one = all[place->second];
      const admin::TargetCounts& counts = target.counts;
      one.sum.open += counts.open;
      one.sum.connections += counts.connections;
      one.sum.bytes_up += counts.bytes_up;
      one.sum.bytes_down += counts.bytes_down;
      one.sum.ejections += counts.ejections;
      one.sum.checks_passed += counts.checks_passed;
      one.sum.checks_failed += counts.checks_failed;
      for (const admin::KindCount& kind : counts.failures) one.failures[kind.kind] += kind.count;
      if (counts.not_after != 0 &&
          (one.sum.not_after == 0 || counts.not_after < one.sum.not_after)) {
        one.sum.not_after = counts.not_after;
      }
    }
  }
  return all;
}

void add_targets(Families& families, const std::vector<admin::ServiceStatus>& services) {
  constexpr auto kStates =
      std::to_array<std::string_view>({"up", "ejected", "down", "draining", "unresolved"});
  Family state = families.gauge("tunnel_target_state", "1 for the state that the target is in.");
  Family weight = families.gauge("tunnel_target_weight", "The target's weight in its group.");
  Family open = families.gauge("tunnel_target_connections_open", "Established connections.");
  Family connections =
      families.counter("tunnel_target_connections_total", "Connections that were established.");
  Family bytes = families.counter("tunnel_target_bytes_total",
                                  "Plaintext carried, also by connections that are open.");
  Family failures = families.counter("tunnel_target_failures_total", "Failed dials, by kind.");
  Family ejections =
      families.counter("tunnel_target_ejections_total", "How often the target was ejected.");
  Family checks = families.counter("tunnel_target_checks_total", "Active health checks.");
  Family expiry =
      families.gauge("tunnel_certificate_not_after_timestamp_seconds",
                     "When a certificate expires, since 1970: of a server, as it showed it last, or ours.");
  for (const admin::ServiceStatus& service : services) {
    for (const Labelled& target : labelled(service)) {
      const Labels base{{"service", service.name}, {"target", target.name}};
      const auto with = [&](const char* label, std::string_view value) {
        Labels labels = base;
        labels.push_back({label, std::string(value)});
        return labels;
      };
      for (const std::string_view each : kStates) {
        state.add(with("state", each), yes(each == target.state));
      }
      weight.add(base, target.weight);
      open.add(base, number(target.sum.open));
      connections.add(base, number(target.sum.connections));
      bytes.add(with("direction", "up"), number(target.sum.bytes_up));
      bytes.add(with("direction", "down"), number(target.sum.bytes_down));
      for (const auto& [kind, count] : target.failures) {
        if (count > 0) failures.add(with("kind", kind), number(count));
      }
      ejections.add(base, number(target.sum.ejections));
      if (target.sum.checks_passed + target.sum.checks_failed > 0) {
        checks.add(with("result", "passed"), number(target.sum.checks_passed));
        checks.add(with("result", "failed"), number(target.sum.checks_failed));
      }
      if (target.sum.not_after != 0) {
        expiry.add(with("role", "server_leaf"), static_cast<double>(target.sum.not_after));
      }
    }
    if (service.counts.client_not_after != 0) {
      expiry.add({{"service", service.name}, {"role", "client"}},
                 static_cast<double>(service.counts.client_not_after));
    }
  }
}

}  // namespace

std::vector<MetricFamily> metrics(const admin::Status& status, const std::vector<LoopState>& loops,
                                  const ProcessUse& use) {
  Families families;
  add_process(families, status, loops, use);
  add_configuration(families, status);
  add_connections(families, status.services);
  add_dials(families, status.services);
  add_targets(families, status.services);
  return families.take();
}

}  // namespace tunnel::web
