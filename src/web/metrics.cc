// SPDX-License-Identifier: MIT
#include "web/metrics.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "web/families.h"

namespace tunnel::web {
namespace {

double since_1970(admin::WallTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

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
  Family lag = families.gauge("tunnel_worker_loop_lag_seconds",
                              "How long the event loop took to turn when it was asked to, the "
                              "longest since the last scrape.");
  for (const LoopState& loop : loops) lag.add({{"worker", loop.name}}, loop.lag.count());
  families
      .counter("tunnel_log_dropped_lines_total", "Lines of the log that its full queue has cost.")
      .add({}, number(status.log_dropped_lines));
  families.gauge("tunnel_capture_active", "Captures in force.")
      .add({}, number(status.captures.size()));
  families.counter("tunnel_capture_packets_total", "Packets that captures have written.")
      .add({}, number(status.captured_packets));
  families
      .counter("tunnel_capture_dropped_packets_total",
               "Packets that are missing in captures, which could not keep up.")
      .add({}, number(status.capture_dropped_packets));
}

void add_dns(Families& families, const admin::Status& status) {
  Family queries =
      families.counter("tunnel_dns_queries_total", "Questions to name servers, by how they ended.");
  for (const admin::KindCount& answers : status.dns_answers) {
    queries.add({{"result", std::string(answers.kind)}}, number(answers.count));
  }
  families
      .gauge("tunnel_dns_stale_answers",
             "Names that cannot be resolved now, whose last good answer serves on.")
      .add({}, number(status.stale_names));
}

// What changed files did, and when the ones in force end.
void add_credentials(Families& families, const std::vector<admin::ServiceStatus>& services) {
  Family reloads =
      families.counter("tunnel_certificate_file_reloads_total",
                       "Attempts to take changed certificate, key, CA, CRL and PSK files over.");
  Family taken = families.gauge("tunnel_certificate_file_last_reload_success_timestamp_seconds",
                                "When changed files were last taken over, since 1970.");
  Family lists =
      families.gauge("tunnel_crl_next_update_timestamp_seconds",
                     "When the first issuer has no current list in tls.crl any more, since 1970.");
  for (const admin::ServiceStatus& service : services) {
    const admin::ServiceCounts& counts = service.counts;
    const std::string& name = service.name;
    if (const auto& files = counts.file_reloads) {
      reloads.add({{"service", name}, {"result", "ok"}}, number(files->taken));
      reloads.add({{"service", name}, {"result", "failed"}}, number(files->refused));
      if (files->taken_at != 0) {
        taken.add({{"service", name}}, static_cast<double>(files->taken_at));
      }
    }
    if (counts.crl_next_update != 0) {
      lists.add({{"service", name}}, static_cast<double>(counts.crl_next_update));
    }
  }
}

void add_configuration(Families& families, const admin::Status& status) {
  families
      .gauge("tunnel_config_last_reload_successful",
             "Whether the last attempt to take a changed configuration over succeeded.")
      // The start has loaded a configuration, too.
      .add({}, yes(!status.last_reload || status.last_reload->is_successful));
  families
      .gauge("tunnel_config_last_reload_success_timestamp_seconds",
             "When the configuration in force was taken over, since 1970.")
      .add({}, since_1970(status.loaded));
  Family reloads = families.counter("tunnel_config_reloads_total",
                                    "Attempts to take a changed configuration over.");
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
  Family paused =
      families.gauge("tunnel_accept_paused",
                     "1 while clients wait unaccepted, for a limit or for want of descriptors.");
  Family bytes = families.counter("tunnel_bytes_total",
                                  "Plaintext carried, also by connections that are open.");
  for (const admin::ServiceStatus& service : services) {
    const admin::ServiceCounts& counts = service.counts;
    const std::string& name = service.name;
    // A denied client is in no other number of the service but that of its kind.
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
    paused.add({{"service", name}}, yes(counts.is_waiting));
    bytes.add({{"service", name}, {"direction", "up"}}, number(service.bytes_up));
    bytes.add({{"service", name}, {"direction", "down"}}, number(service.bytes_down));
  }
}

// One histogram of each kind: of a service, or of several together.
using Histograms = std::array<HistogramReading, 8>;

Histograms histograms_of(const admin::ServiceCounts& counts) {
  return {counts.resolve, counts.connect, counts.preamble, counts.tls,
          counts.dial,    counts.tries,   counts.duration, counts.checks};
}

void add_up(Histograms& sum, const Histograms& further) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i].add(further[i]);
}

// They are most of the text: a hundred lines of a service that has dialled. Those of services
// without a name here are counted together, and with them those of one that somebody has called
// "other".
void add_histograms(Families& families, const std::vector<admin::ServiceStatus>& services) {
  Family phases = families.histogram("tunnel_dial_phase_duration_seconds",
                                     "How long the phases of attempts at targets took.");
  Family dials = families.histogram("tunnel_dial_duration_seconds",
                                    "From accepting a client until a target was established.");
  Family tries =
      families.histogram("tunnel_dial_tries", "Targets that were tried for one connection.");
  Family durations = families.histogram("tunnel_connection_duration_seconds",
                                        "From accepting a client until its connection was over.");
  Family checks =
      families.histogram("tunnel_target_check_duration_seconds",
                         "How long active health checks of the service's targets took.");
  const auto add = [&](const std::string& name, const Histograms& of) {
    phases.add({{"service", name}, {"phase", "resolve"}}, of[0]);
    phases.add({{"service", name}, {"phase", "connect"}}, of[1]);
    phases.add({{"service", name}, {"phase", "preamble"}}, of[2]);
    phases.add({{"service", name}, {"phase", "tls"}}, of[3]);
    dials.add({{"service", name}}, of[4]);
    tries.add({{"service", name}}, of[5]);
    durations.add({{"service", name}}, of[6]);
    checks.add({{"service", name}}, of[7]);
  };
  const std::size_t most = services_with_histograms(services.size());
  std::size_t named = 0;
  Histograms others;
  for (const admin::ServiceStatus& service : services) {
    if (named < most && service.name != kOther) {
      add(service.name, histograms_of(service.counts));
      ++named;
    } else {
      add_up(others, histograms_of(service.counts));
    }
  }
  // A histogram without a value adds nothing, so there is no "other" where every service has its
  // own.
  add(kOther, others);
}

void add_handshakes(Families& families, const std::vector<admin::ServiceStatus>& services) {
  Family ready =
      families.gauge("tunnel_preconnect_ready", "Established connections that wait for clients.");
  Family preconnected = families.counter(
      "tunnel_preconnect_clients_total",
      "Clients of services with preconnect, by whether a connection was ready for them.");
  Family handshakes =
      families.counter("tunnel_tls_handshakes_total", "Completed TLS handshakes with targets.");
  for (const admin::ServiceStatus& service : services) {
    const admin::ServiceCounts& counts = service.counts;
    const std::string& name = service.name;
    if (service.preconnect > 0) {
      ready.add({{"service", name}}, service.preconnected);
      preconnected.add({{"service", name}, {"result", "ready"}}, number(counts.preconnect_used));
      preconnected.add({{"service", name}, {"result", "dialled"}},
                       number(counts.preconnect_missed));
    }
    for (const admin::HandshakeCount& handshake : counts.handshakes) {
      handshakes.add({{"service", name},
                      {"version", std::string(handshake.version)},
                      {"group", std::string(handshake.group)},
                      {"resumed", handshake.is_resumed ? "true" : "false"}},
                     number(handshake.count));
    }
  }
}

}  // namespace

std::vector<prometheus::MetricFamily> metrics(const admin::Status& status,
                                              const std::vector<LoopState>& loops,
                                              const ProcessUse& use) {
  Families families;
  add_process(families, status, loops, use);
  add_configuration(families, status);
  add_dns(families, status);
  add_connections(families, status.services);
  add_histograms(families, status.services);
  add_handshakes(families, status.services);
  add_targets(families, status.services);
  add_credentials(families, status.services);
  return families.take();
}

}  // namespace tunnel::web
