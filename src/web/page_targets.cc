// SPDX-License-Identifier: MIT
// The page's tables of services and of their targets.
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "admin/short_text.h"
#include "base/text.h"
#include "web/page_parts.h"

namespace tunnel::web {
namespace {

using admin::short_bytes;
using admin::short_time;

std::string tenths(double number) {
  const long long tenths = std::llround(number * 10);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

std::string addresses_of(const admin::TargetStatus& target) {
  std::string text;
  for (const admin::AddressStatus& address : target.addresses) {
    text += (text.empty() ? "" : ", ") + address.address;
  }
  if (!text.empty() && target.addresses_age) {
    text += " (" + short_time(target.addresses_age->count()) + " ago)";
  }
  return text;
}

std::string override_of(const admin::TargetStatus& target) {
  if (!target.override) return {};
  const admin::OverrideStatus& order = *target.override;
  std::string text;
  switch (order.what) {
    case balance::Override::What::drain:
      text = "drained";
      break;
    case balance::Override::What::eject:
      text = "ejected";
      break;
    case balance::Override::What::weight:
      text = "weight " + std::to_string(order.weight);
      break;
  }
  text += " by uid " + std::to_string(order.uid);
  if (order.left) text += ", for " + short_time(order.left->count());
  return text;
}

// "UP 2/3; 3.0s ago, 1.2 ms: connect_refused: ..."; why a target is out stands above it.
std::string check_of(const admin::TargetStatus& target) {
  if (!target.last_check) return target.check;
  const admin::CheckStatus& last = *target.last_check;
  std::string text = target.check + "; " + short_time(last.ago.count()) + " ago, " +
                     tenths(last.took.count() * 1000) + " ms";
  if (last.kind != "ok") text += ": " + std::string(last.kind);
  if (last.kind != "ok" && target.why.empty()) text += ": " + last.why;
  return text;
}

// "cert_expired 12, tls_timeout 1"
std::string failures_of(const admin::TargetStatus& target) {
  std::string text;
  for (const admin::KindCount& failure : target.counts.failures) {
    if (failure.count == 0) continue;
    text += (text.empty() ? "" : ", ") + std::string(failure.kind) + " " +
            std::to_string(failure.count);
  }
  return text;
}

// "3.1MiB (20KiB/s)"
std::string bytes_and_rate(std::uint64_t bytes, double rate) {
  return short_bytes(static_cast<double>(bytes)) +
         (rate > 0 ? " (" + short_bytes(rate) + "/s)" : "");
}

// What is no column of a narrow table: "check UP; 3.0s ago, 1.2 ms · TLS1.3 · 10.1.1.1 (9s ago)".
std::string details_of(const admin::TargetStatus& target) {
  std::string text;
  const auto add = [&](std::string_view label, std::string_view value) {
    if (value.empty()) return;
    text += (text.empty() ? "" : " · ") + std::string(label) + std::string(value);
  };
  add("check ", check_of(target));
  add("failures: ", failures_of(target));
  add("", addresses_of(target));
  add("", target.identity ? target.identity->tls_version : "");
  add("ordered: ", override_of(target));
  return text;
}

void add_target(const admin::TargetStatus& target, std::int64_t now, Html& html) {
  const bool is_up = target.state == "up";
  html.add("<tbody><tr>").count(target.group).cell(target.target);
  html.add(is_up ? "<td class=good>" : "<td class=bad>").add(is_up ? "&#10003; " : "&#10007; ");
  html.text(target.state);
  if (target.since) html.add(" for ").text(short_time(target.since->count()));
  html.add("</td>").count(target.weight);
  html.quantity(std::to_string(target.connections) +
                (target.max_connections ? "/" + std::to_string(*target.max_connections) : ""));
  const std::int64_t end = target.counts.not_after;
  html.quantity(end != 0 ? time_left(end - now) : "").add("</tr>");
  html.add("<tr class=more><td></td><td colspan=5>");
  if (!target.why.empty()) {
    html.add("<div class=bad>").text(target.kind.empty() ? "" : target.kind + ": ");
    html.text(target.why).add("</div>");
  }
  html.text(details_of(target)).add("</td></tr></tbody>");
}

}  // namespace

void add_services(const admin::Status& status, const History& history, const Query& query,
                  Html& html) {
  html.add(
      "<h2>Services</h2><div class=scroll><table><thead><tr><th>Service</th><th>Accepts at</th>"
      "<th>Policy</th><th class=n>Open</th><th class=n>Accepted</th><th class=n>Failed</th>"
      "<th class=n>From clients</th><th class=n>To clients</th></tr></thead><tbody>");
  for (const admin::ServiceStatus& service : status.services) {
    Query only = query;
    only.service = service.name;
    html.add("<tr><td><a href=\"").text(link(only, query.refresh, 0)).add("#connections\">");
    html.text(service.name).add("</a>").add(service.is_draining ? " (draining)" : "").add("</td>");
    html.cell(enumerated(service.accept, ", "));
    html.cell(service.balance + ": " + service.balance_meaning);
    html.quantity(std::to_string(service.connections) +
                  (service.max_connections ? "/" + std::to_string(*service.max_connections) : ""));
    const History::Rates rates = history.rates_of(service.name).value_or(History::Rates{});
    html.quantity(std::to_string(service.accepted) +
                  (rates.accepted > 0 ? " (" + tenths(rates.accepted) + "/s)" : ""));
    html.count(service.failed);
    html.quantity(bytes_and_rate(service.bytes_up, rates.bytes_up));
    html.quantity(bytes_and_rate(service.bytes_down, rates.bytes_down)).add("</tr>");
  }
  html.add("</tbody></table></div>");
}

void add_targets(const admin::Status& status, Html& html) {
  html.add("<h2>Targets</h2>");
  const std::int64_t now = std::chrono::system_clock::to_time_t(status.now);
  for (const admin::ServiceStatus& service : status.services) {
    html.add("<h3>").text(service.name).add("</h3>");
    if (service.targets.empty()) {
      html.add("<p class=bad>&#10007; no target: ").text(service.no_targets).add("</p>");
      continue;
    }
    html.add(
        "<div class=scroll><table><thead><tr><th class=n>Group</th><th>Target</th><th>State</th>"
        "<th class=n>Weight</th><th class=n>Open</th><th class=n>Certificate</th></tr></thead>");
    for (const admin::TargetStatus& target : service.targets) add_target(target, now, html);
    html.add("</table></div>");
  }
}

}  // namespace tunnel::web
