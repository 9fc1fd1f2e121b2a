// SPDX-License-Identifier: MIT
#include "web/page.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "web/html.h"

namespace tunnel::web::page_test {
namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

admin::Status status_of_one() {
  admin::Status status;
  status.version = "1.2.3";
  status.state = "running";
  status.config = "/etc/tunnel.toml";
  admin::ServiceStatus service;
  service.name = "ldap";
  service.accept = {"127.0.0.1:389"};
  service.balance = "round-robin";
  service.balance_meaning = "each in turn";
  admin::TargetStatus good;
  good.state = "up";
  good.target = "dc1.example.com:636";
  admin::TargetStatus bad;
  bad.state = "ejected";
  bad.target = "dc2.example.com:636";
  bad.kind = "cert_expired";
  bad.why = "the certificate of dc2.example.com:636 has expired";
  service.targets = {good, bad};
  status.services = {service};
  return status;
}

}  // namespace

TEST_CASE("a target is shown with its state in words, and why") {
  const std::string html = page(status_of_one(), {}, {});
  CHECK(html.starts_with("<!doctype html>"));
  CHECK(has(html, "dc1.example.com:636</td><td class=good>&#10003; up"));
  CHECK(has(html, "dc2.example.com:636</td><td class=bad>&#10007; ejected"));
  CHECK(has(html, "cert_expired: the certificate of dc2.example.com:636 has expired"));
  CHECK_FALSE(has(html, "http-equiv"));
  CHECK(has(html, "refresh every 5 seconds</a> <a "));
  CHECK(has(page(status_of_one(), {.refresh = 5}, {}), "<meta http-equiv=refresh content=5>"));
}

TEST_CASE("a service is shown with its policy in words and its rates, a target with its failures") {
  admin::Status status = status_of_one();
  History history;
  history.add(TimePoint(std::chrono::seconds(0)), status);
  status.services[0].accepted = 12;
  status.services[0].bytes_down = 1 << 20;
  status.services[0].targets[1].counts.failures = {
      {"ok", 0}, {"cert_expired", 12}, {"tls_timeout", 1}};
  history.add(TimePoint(std::chrono::seconds(5)), status);
  const std::string html = page(status, {}, history);
  CHECK(has(html, "<td>round-robin: each in turn</td>"));
  CHECK(has(html, ">12 (2.4/s)</td>"));
  CHECK(has(html, ">1.0MiB (205KiB/s)</td>"));
  CHECK(has(html, "failures: cert_expired 12, tls_timeout 1</td>"));
}

TEST_CASE("names of others are text, whatever they hold") {
  admin::Status status = status_of_one();
  const std::string hostile = "<script>\"'&\n\xe2\x80\xae\xff";
  status.config = status.version = status.state = status.log_level = hostile;
  status.warnings = {hostile};
  auto& service = status.services[0];
  service.name = service.balance = service.no_targets = hostile;
  service.accept = {hostile};
  for (admin::TargetStatus& target : service.targets) {
    target.target = target.why = target.kind = target.check = target.state = hostile;
    target.addresses = {{hostile}};
    target.identity =
        std::make_shared<const balance::Identity>(balance::Identity{.tls_version = "TLS1.3",
                                                                    .subject = hostile,
                                                                    .issuer = hostile,
                                                                    .pin = hostile,
                                                                    .not_after = 1,
                                                                    .path = {hostile, hostile}});
  }
  status.closed = {{.service = hostile,
                    .id = 1,
                    .client = hostile,
                    .target = hostile,
                    .kind = "ok",
                    .side = "client",
                    .why = hostile,
                    .tls = hostile}};
  status.connection_list = {{.service = hostile,
                             .id = 1,
                             .client = hostile,
                             .target = hostile,
                             .phase = hostile,
                             .idle = std::nullopt,
                             .tls = hostile}};
  status.problems.push_back({});
  status.problems.back().text = status.problems.back().service = hostile;
  status.last_reload = admin::ReloadStatus{.time = {}, .is_successful = false, .lines = {hostile}};
  const std::string html = page(status, {.service = hostile}, {});
  CHECK_FALSE(has(html, "<script"));
  CHECK_FALSE(has(html, "\"'"));
  CHECK_FALSE(has(html, "\xe2\x80\xae"));
  CHECK_FALSE(has(html, "\xff"));
  CHECK(has(html, "&lt;script&gt;&quot;&#39;&amp;\\x0a"));
}

TEST_CASE("connections come in pages, of one service if that is asked for") {
  admin::Status status = status_of_one();
  status.connection_list.emplace();
  for (std::uint64_t i = 1; i <= 450; ++i) {
    status.connection_list->push_back({.service = i % 2 == 0 ? "ldap" : "imap",
                                       .id = i,
                                       .client = "c",
                                       .target = "t",
                                       .phase = "open",
                                       .idle = std::nullopt,
                                       .bytes_up = i,
                                       .tls = ""});
  }
  const std::string first = page(status, {}, {});
  CHECK(has(first, "1 to 200 of 450"));
  CHECK(has(first, "<td>ldap[450]</td>"));
  CHECK_FALSE(has(first, "<td>ldap[250]</td>"));
  CHECK(has(first, "from=200"));
  const std::string last = page(status, {.from = 400}, {});
  CHECK(has(last, "401 to 450 of 450"));
  CHECK_FALSE(has(last, ">more<"));
  const std::string imap = page(status, {.service = "imap"}, {});
  CHECK(has(imap, "Connections of imap"));
  CHECK(has(imap, "of 225"));
  CHECK(has(page(status, {.from = 9'999}, {}), "1 to 200 of 450"));
}

TEST_CASE("connections are found by any of their fields, and shown in the order asked for") {
  admin::Status status = status_of_one();
  status.connection_list.emplace();
  for (std::uint64_t i = 1; i <= 30; ++i) {
    status.connection_list->push_back({.service = "ldap",
                                       .id = i,
                                       .client = "10.0.0." + std::to_string(i) + ":5",
                                       .target = "t",
                                       .phase = "open",
                                       .age = admin::Seconds(100 - i),
                                       .idle = std::nullopt,
                                       .bytes_up = i,
                                       .tls = ""});
  }
  const std::string found = page(status, {.filter = "10.0.0.2"}, {});
  CHECK(has(found, "of 11"));  // 2 and 20 to 29
  CHECK(has(found, "value=\"10.0.0.2\""));
  CHECK(has(found, ">all connections<"));
  const auto first_by = [&](Order order) {
    const std::string html = page(status, {.order = order}, {});
    const std::size_t at = html.find("<td>ldap[");
    return html.substr(at + 4, html.find('<', at + 4) - at - 4);
  };
  CHECK(first_by(Order::bytes) == "ldap[30]");
  CHECK(first_by(Order::age) == "ldap[1]");
  CHECK(first_by(Order::service) == "ldap[1]");
  CHECK(has(page(status, {.filter = "\"><b>"}, {}), "value=\"&quot;&gt;&lt;b&gt;\""));
}

TEST_CASE("certificates are shown with what is left of them, the first to end first") {
  admin::Status status = status_of_one();
  status.now = std::chrono::system_clock::from_time_t(1'000'000'000);
  auto& counts = status.services[0].targets[0].counts;
  counts.not_after = 1'000'000'000 + 100 * 86'400;
  counts.chain_not_after = 1'000'000'000 + 20 * 86'400;
  status.services[0].counts.client_not_after = 999'999'999;
  const std::string html = page(status, {}, {});
  CHECK(
      has(html, "<td>server certificate</td><td>2001-12-18T01:46:40Z</td><td class=n>100 d</td>"));
  CHECK(has(html,
            "its chain, the first to end</td><td>2001-09-29T01:46:40Z</td>"
            "<td class=\"n bad\">! 20 d</td>"));
  CHECK(html.find("client certificate") < html.find("its chain"));
  CHECK(has(html, "! ended"));
  CHECK(has(page(status_of_one(), {}, {}), "None is known yet"));
}

TEST_CASE(
    "servers are shown with the names of their certificates, what proves them, and their keys") {
  admin::Status status = status_of_one();
  status.services[0].targets[0].identity = std::make_shared<const balance::Identity>(
      balance::Identity{.tls_version = "TLS1.3",
                        .subject = "CN=dc1.example.com",
                        .issuer = "CN=Issuing CA",
                        .pin = "sha256:b/KIUeZYHPElc1heB2nSaXyZcsWfKBmYcfCcjGQfojA=",
                        .not_after = 2'000'000'000,
                        .path = {"CN=dc1.example.com", "CN=Issuing CA", "CN=Root CA"}});
  status.services[0].targets[0].counts.not_after = 2'000'000'000;
  const std::string html = page(status, {}, {});
  CHECK(has(html,
            "CN=dc1.example.com, issued by CN=Issuing CA, verified with CN=Issuing CA &lt; CN=Root "
            "CA; "));
  CHECK(has(
      html,
      "<code>tls.pin = &quot;sha256:b/KIUeZYHPElc1heB2nSaXyZcsWfKBmYcfCcjGQfojA=&quot;</code>"));
  CHECK(has(html, ">TLS1.3</td>"));
}

TEST_CASE("connections that are over are shown with why, the last one first") {
  admin::Status status = status_of_one();
  CHECK(has(page(status, {}, {}), "that are over</h2><p>None.</p>"));
  status.closed = {{.service = "ldap",
                    .id = 7,
                    .client = "10.0.0.1:5",
                    .target = "dc1:636",
                    .kind = "ok",
                    .side = "client",
                    .ago = admin::Seconds(9),
                    .bytes_up = 5},
                   {.service = "imap",
                    .id = 8,
                    .client = "10.0.0.1:6",
                    .kind = "truncated",
                    .side = "server",
                    .has_failed = true,
                    .why = "cut off",
                    .ago = admin::Seconds(2)}};
  const std::string html = page(status, {}, {});
  CHECK(has(html, "<span class=bad>&#10007; truncated</span>, ended by server: cut off</td>"));
  CHECK(html.find("imap[8]") < html.find("ldap[7]"));
  CHECK_FALSE(has(page(status, {.service = "ldap"}, {}), "imap[8]"));
}

TEST_CASE("plots have their points") {
  History history;
  admin::Status status = status_of_one();
  for (int i = 0; i < 4; ++i) {
    status.connections = static_cast<std::uint64_t>(i);
    history.add(TimePoint(std::chrono::seconds(5 * i)), status);
  }
  const std::string html = page(status, {}, history);
  CHECK(has(html, "Connections: open; highest 3"));
  CHECK(has(html, "points=\"295.0,53.0 297.5,27.0 300.0,1.0\""));
}

}  // namespace tunnel::web::page_test
