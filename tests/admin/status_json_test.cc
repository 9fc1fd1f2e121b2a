// SPDX-License-Identifier: MIT
#include "admin/status_json.h"

#include <doctest/doctest.h>

#include <memory>

namespace tunnel::admin {

TEST_SUITE("status as JSON") {
  TEST_CASE("durations are seconds, times RFC 3339, and what is not known is null") {
    Status status;
    status.version = "1.2.3";
    status.started = WallTime(std::chrono::seconds(1'764'183'600));
    ServiceStatus service;
    service.name = "ldap";
    service.max_connections = 10;
    TargetStatus target;
    target.state = "ejected";
    target.target = "dc1.example.com:636";
    target.since = std::chrono::milliseconds(1500);
    target.override =
        OverrideStatus{balance::Override::What::weight, 3, 1000, 42, std::chrono::seconds(60)};
    target.last_check = CheckStatus{.ago = std::chrono::seconds(2),
                                    .took = std::chrono::microseconds(125),
                                    .kind = "ok",
                                    .why = ""};
    target.counts.failures = {{"ok", 0}, {"cert_expired", 3}};
    target.identity = std::make_shared<const balance::Identity>(balance::Identity{
        .tls_version = "TLS1.3", .subject = "CN=dc1", .not_after = 1'764'183'600, .path = {}});
    service.targets = {target};
    status.services = {service};
    const Json json = to_json(status);
    CHECK(json["schema"] == 1);
    CHECK(json["started"] == "2025-11-26T19:00:00Z");
    CHECK(json["last_reload"].is_null());
    CHECK_FALSE(json.contains("connection_list"));
    const Json& one = json["services"][0];
    CHECK(one["max_connections"] == 10);
    CHECK(one["targets"][0]["since"] == 1.5);
    CHECK(one["targets"][0]["ejected_for"].is_null());
    CHECK(one["targets"][0]["override"] ==
          Json{{"what", "weight"}, {"weight", 3}, {"uid", 1000}, {"pid", 42}, {"left", 60.0}});
    CHECK(one["targets"][0]["last_check"] ==
          Json{{"ago", 2.0}, {"took", 0.000125}, {"kind", "ok"}, {"why", ""}});
    CHECK(one["targets"][0]["failures"] == Json{{"cert_expired", 3}});
    CHECK(one["targets"][0]["identity"]["not_after"] == "2025-11-26T19:00:00Z");
    CHECK(one["targets"][0]["identity"]["ocsp_until"].is_null());
  }

  TEST_CASE("connections are listed when they were asked for, even if there are none") {
    Status status;
    status.connection_list.emplace();
    CHECK(to_json(status)["connection_list"] == Json::array());
    status.connection_list->push_back({.service = "ldap",
                                       .id = 12,
                                       .client = "127.0.0.1:5000",
                                       .target = "dc1:636",
                                       .phase = "open",
                                       .age = std::chrono::seconds(3),
                                       .idle = std::nullopt,
                                       .bytes_up = 10,
                                       .bytes_down = 20,
                                       .tls = "TLS1.3"});
    const Json one = to_json(status)["connection_list"][0];
    CHECK(one["conn"] == 12);
    CHECK(one["age"] == 3.0);
    CHECK(one["idle"].is_null());
  }
}

}  // namespace tunnel::admin
