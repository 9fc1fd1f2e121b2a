// SPDX-License-Identifier: MIT
#include "web/metrics.h"

#include <doctest/doctest.h>

#include <array>

#include "web/exposition.h"

namespace tunnel::web::metrics_test {
namespace {

admin::TargetStatus target(std::uint64_t id, std::string name, std::uint64_t connections) {
  admin::TargetStatus status;
  status.state = "up";
  status.target = std::move(name);
  status.counts.target = id;
  status.counts.connections = connections;
  return status;
}

std::string text_of(std::vector<admin::TargetStatus> targets) {
  admin::Status status;
  status.services.emplace_back();
  status.services[0].name = "s";
  status.services[0].targets = std::move(targets);
  return prometheus_text(metrics(status, {}, {}));
}

bool has(const std::string& text, const std::string& line) {
  return text.find(line + "\n") != std::string::npos;
}

constexpr auto kBounds =
    std::to_array<double>({.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10});

HistogramReading reading(std::uint64_t count) {
  return {.bounds = kBounds,
          .cumulative = std::vector<std::uint64_t>(kBounds.size() + 1, count),
          .sum = .001 * static_cast<double>(count)};
}

// A service whose every target has been dialled over TLS.
admin::ServiceStatus busy_service(std::string name) {
  admin::ServiceStatus service;
  service.name = std::move(name);
  service.accepted = 3;
  admin::ServiceCounts& counts = service.counts;
  counts.closed = {{"ok", 3}};
  counts.resolve = counts.connect = counts.preamble = counts.tls = reading(3);
  counts.dial = counts.tries = counts.duration = counts.checks = reading(3);
  counts.handshakes = {{"TLS1.3", "X25519", false, 3}};
  for (std::uint64_t i = 1; i <= 3; ++i) {
    service.targets.push_back(target(i, "dc" + std::to_string(i) + ".example.com:636", 1));
    service.targets.back().counts.not_after = service.targets.back().counts.chain_not_after =
        1'800'000'000;
  }
  return service;
}

}  // namespace

TEST_CASE("a target in two groups is counted once") {
  const std::string text = text_of({target(1, "a:1", 5), target(1, "a:1", 5)});
  CHECK(has(text, "tunnel_target_connections_total{service=\"s\",target=\"a:1\"} 5"));
}

TEST_CASE("the addresses of a name are one target") {
  const std::string text = text_of({target(1, "a:1", 5), target(2, "a:1", 7)});
  CHECK(has(text, "tunnel_target_connections_total{service=\"s\",target=\"a:1\"} 12"));
}

TEST_CASE(
    "a target that has left is told on, after those that are there, and gets no connections") {
  admin::Status status;
  status.services.emplace_back();
  status.services[0].name = "s";
  status.services[0].targets = {target(2, "b:1", 5)};
  for (std::uint64_t i = 3; i <= 110; ++i) {
    admin::TargetStatus departed = target(i, std::to_string(i), 1);
    departed.state = "drained";
    departed.weight = 0;
    status.services[0].departed.push_back(departed);
  }
  status.services[0].departed.push_back(target(1, "b:1", 7));  // one of its addresses
  status.services[0].past["b:1"].connections = 30;             // and one that left long ago
  status.services[0].past["gone"].connections = 1;
  const std::string text = prometheus_text(metrics(status, {}, {}));
  CHECK(has(text, "tunnel_target_connections_total{service=\"s\",target=\"b:1\"} 42"));
  CHECK(text.find("gone") == std::string::npos);
  CHECK(has(text, "tunnel_target_state{service=\"s\",target=\"b:1\",state=\"up\"} 1"));
  CHECK(has(text, "tunnel_target_connections_total{service=\"s\",target=\"3\"} 1"));
  CHECK(has(text, "tunnel_target_state{service=\"s\",target=\"3\",state=\"draining\"} 1"));
  CHECK(has(text, "tunnel_target_weight{service=\"s\",target=\"3\"} 0"));
  CHECK(has(text, "tunnel_target_connections_total{service=\"s\",target=\"other\"} 9"));
}

TEST_CASE("of the certificates behind one label the first to end is told") {
  auto one = target(1, "a:1", 0);
  auto other = target(2, "a:1", 0);
  one.counts.chain_not_after = 0;  // not known yet
  other.counts.chain_not_after = 900;
  one.counts.not_after = 800;
  other.counts.not_after = 700;
  const std::string text = text_of({one, other});
  const std::string name = "tunnel_certificate_not_after_timestamp_seconds";
  CHECK(has(text, name + "{service=\"s\",target=\"a:1\",role=\"server_chain\"} 900"));
  CHECK(has(text, name + "{service=\"s\",target=\"a:1\",role=\"server_leaf\"} 700"));
}

TEST_CASE("no more than a hundred targets have names") {
  std::vector<admin::TargetStatus> targets;
  for (std::uint64_t i = 1; i <= 150; ++i) targets.push_back(target(i, std::to_string(i), 1));
  const std::string text = text_of(std::move(targets));
  CHECK(has(text, "tunnel_target_connections_total{service=\"s\",target=\"100\"} 1"));
  CHECK_FALSE(has(text, "tunnel_target_connections_total{service=\"s\",target=\"101\"} 1"));
  CHECK(has(text, "tunnel_target_connections_total{service=\"s\",target=\"other\"} 50"));
}

TEST_CASE("up to a thousand services of three targets, all dialled, are less than five MiB") {
  admin::Status status;
  for (int i = 1; i <= 1000; ++i) {
    status.services.push_back(busy_service("service" + std::to_string(i)));
    if (i % 100 != 0) continue;
    CAPTURE(i);
    const auto families = metrics(status, {}, {});
    CHECK(prometheus_text(families).size() < 5U << 20U);
    CHECK(open_metrics_text(families).size() < 5U << 20U);
  }
}

TEST_CASE("all of a few hundred services have histograms of their own, and fewer of more") {
  CHECK(services_with_histograms(0) == 0);
  CHECK(services_with_histograms(300) == 300);
  CHECK(services_with_histograms(302) == 299);
  CHECK(services_with_histograms(799) == 51);
  CHECK(services_with_histograms(800) == 50);
  CHECK(services_with_histograms(1'000'000) == 50);
}

TEST_CASE("services that have no histograms of their own share theirs") {
  admin::Status status;
  status.services.push_back(busy_service("other"));  // a name as good as any
  for (int i = 1; i < 304; ++i) {
    status.services.push_back(busy_service("s" + std::to_string(i)));
  }
  const std::string text = prometheus_text(metrics(status, {}, {}));
  CHECK(has(text, "tunnel_dial_duration_seconds_count{service=\"s298\"} 3"));
  CHECK(text.find("tunnel_dial_duration_seconds_count{service=\"s299\"}") == std::string::npos);
  CHECK(has(text, "tunnel_dial_duration_seconds_count{service=\"other\"} 18"));
  CHECK(has(text, "tunnel_dial_duration_seconds_bucket{service=\"other\",le=\"0.0005\"} 18"));
  CHECK(has(text, "tunnel_connections_accepted_total{service=\"s303\"} 3"));
}

TEST_CASE("a target is in one state of the set") {
  admin::TargetStatus ejected = target(1, "a:1", 0);
  ejected.state = "trial";
  const std::string text = text_of({ejected});
  CHECK(has(text, "tunnel_target_state{service=\"s\",target=\"a:1\",state=\"ejected\"} 1"));
  for (const char* state : {"up", "down", "draining", "unresolved"}) {
    CHECK(has(text, "tunnel_target_state{service=\"s\",target=\"a:1\",state=\"" +
                        std::string(state) + "\"} 0"));
  }
}

TEST_CASE("what is dialled is what is not established") {
  admin::Status status;
  status.services.emplace_back();
  status.services[0].name = "s";
  status.services[0].connections = 5;
  status.services[0].counts.open = 2;
  status.services[0].counts.draining = 1;
  const auto text = [&] { return prometheus_text(metrics(status, {}, {})); };
  CHECK(has(text(), "tunnel_connections_open{service=\"s\",state=\"dialling\"} 2"));
  status.services[0].connections = 1;  // read a moment earlier
  CHECK(has(text(), "tunnel_connections_open{service=\"s\",state=\"dialling\"} 0"));
}

}  // namespace tunnel::web::metrics_test
