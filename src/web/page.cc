// SPDX-License-Identifier: MIT
#include "web/page.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "admin/short_text.h"
#include "admin/status_json.h"
#include "base/text.h"
#include "web/html.h"
#include "web/plot.h"

namespace tunnel::web {
namespace {

using admin::short_bytes;
using admin::short_time;

constexpr std::string_view kStyle =
    ":root{color-scheme:light dark;--ink:#1a1a1a;--paper:#fff;--line:#767676;--soft:#f2f2f2;"
    "--bad:#a40000;--good:#00591c}"
    "@media(prefers-color-scheme:dark){:root{--ink:#eee;--paper:#161616;--line:#8c8c8c;"
    "--soft:#262626;--bad:#ff9d94;--good:#8fdc9f}}"
    "body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
    "margin:0 auto;padding:.8em;max-width:76em}"
    "h1{font-size:1.3em;margin:.2em 0}h2{font-size:1.1em;margin:1.4em 0 .3em}"
    "table{border-collapse:collapse;min-width:100%}"
    "th,td{text-align:left;padding:.2em .6em;border-bottom:1px solid var(--line);"
    "vertical-align:top}th{background:var(--soft)}"
    ".n{text-align:right;font-variant-numeric:tabular-nums}"
    ".scroll{overflow-x:auto}.bad{color:var(--bad);font-weight:600}"
    ".good{color:var(--good)}"
    "figure{display:inline-block;margin:.3em 1em .3em 0;width:20em;max-width:100%}"
    "figcaption{font-size:.85em}svg{width:100%;height:auto}"
    ".axis{stroke:var(--line);stroke-width:.5}polyline{fill:none;stroke:var(--ink);"
    "stroke-width:1.5}.second{stroke-dasharray:4 3}"
    "a{color:inherit}nav a{margin-right:1em}";

// How the query of a link differs from the present one's.
std::string link(const Query& query, unsigned refresh, std::size_t from) {
  std::string text = "?";
  if (refresh > 0) text += "refresh=" + std::to_string(refresh);
  if (!query.service.empty()) text += "&service=" + percent_encoded(query.service);
  if (from > 0) text += "&from=" + std::to_string(from);
  return text;
}

void add_head(const admin::Status& status, const Query& query, Html& html) {
  html.add("<!doctype html><html lang=en><head><meta charset=utf-8>"
           "<meta name=viewport content=\"width=device-width,initial-scale=1\">");
  if (query.refresh > 0) {
    html.add("<meta http-equiv=refresh content=").number(query.refresh).add(">");
  }
  html.add("<title>tunnel: ").text(status.config).add("</title><style>").add(kStyle);
  html.add("</style></head><body><h1>tunnel ").text(status.version).add("</h1><p>");
  html.text(status.state).add(", process ").number(static_cast<unsigned long long>(status.pid));
  html.add(", since ").text(admin::rfc3339(status.started)).add(". ");
  html.text(count_of(status.connections, "connection")).add(", ");
  html.text(count_of(status.workers, "worker")).add(", log level ").text(status.log_level);
  html.add(".<br>Configuration <code>").text(status.config).add("</code>, loaded ");
  html.text(admin::rfc3339(status.loaded)).add(", <code>").text(status.config_hash.substr(0, 19));
  html.add("</code></p>");
  html.add("<nav><a href=\"").text(link(query, query.refresh > 0 ? 0 : 5, query.from)).add("\">");
  html.add(query.refresh > 0 ? "stop refreshing" : "refresh every 5 seconds").add("</a>");
  html.add("<a href=\"/status.json\">status.json</a> <a href=\"/connections.json\">connections.json</a>"
           " <a href=\"/metrics\">metrics</a></nav>");
}

void add_notices(const admin::Status& status, Html& html) {
  std::vector<std::string> notices = status.warnings;
  for (const unsigned worker : status.silent_workers) {
    notices.push_back("worker " + std::to_string(worker) +
                      " does not answer: its connections are missing below");
  }
  for (const admin::LevelStatus& level : status.level_overrides) {
    notices.push_back("log level " + level.level +
                      (level.service.empty() ? "" : " for service " + level.service) +
                      (level.client.empty() ? "" : " for clients " + level.client) + ", by uid " +
                      std::to_string(level.uid) +
                      (level.left ? ", for " + short_time(level.left->count()) : ""));
  }
  for (const admin::CaptureStatus& capture : status.captures) {
    notices.push_back("capturing " +
                      (capture.services.empty() ? "every service" : enumerated(capture.services, ", ")) +
                      " (" + capture.layer + ") to " + capture.to + " since " +
                      admin::rfc3339(capture.since) + ", by " + capture.by);
  }
  if (notices.empty()) return;
  html.add("<h2>To be known</h2><ul>");
  for (const std::string& notice : notices) html.add("<li>").text(notice).add("</li>");
  html.add("</ul>");
}

void add_plots(const History& history, Html& html) {
  const std::vector<History::Point> points = history.points();
  html.add("<h2>Last ten minutes</h2>");
  if (points.empty()) {
    html.add("<p>Nothing yet: the first points come within ten seconds.</p>");
    return;
  }
  std::vector<double> ages, up, down, connections;
  for (const History::Point& point : points) {
    ages.push_back(point.age);
    up.push_back(point.bytes_up);
    down.push_back(point.bytes_down);
    connections.push_back(point.connections);
  }
  html.add(Plot{.title = "Throughput",
                .ages = ages,
                .lines = {{"from clients", "first", up}, {"to clients (dashed)", "second", down}},
                .label = [](double value) { return short_bytes(value) + "/s"; }}
               .svg());
  html.add(Plot{.title = "Connections",
                .ages = ages,
                .lines = {{"open", "first", connections}},
                .label = [](double value) { return std::to_string(std::llround(value)); }}
               .svg());
}

void add_services(const admin::Status& status, const Query& query, Html& html) {
  html.add("<h2>Services</h2><div class=scroll><table><thead><tr><th>Service</th><th>Accepts at</th>"
           "<th>Policy</th><th class=n>Open</th><th class=n>Accepted</th><th class=n>Failed</th>"
           "<th class=n>From clients</th><th class=n>To clients</th></tr></thead><tbody>");
  for (const admin::ServiceStatus& service : status.services) {
    Query only = query;
    only.service = service.name;
    html.add("<tr><td><a href=\"").text(link(only, query.refresh, 0)).add("#connections\">");
    html.text(service.name).add("</a>").add(service.is_draining ? " (draining)" : "").add("</td>");
    html.cell(enumerated(service.accept, ", ")).cell(service.balance);
    html.quantity(std::to_string(service.connections) +
                  (service.max_connections ? "/" + std::to_string(*service.max_connections) : ""));
    html.count(service.accepted).count(service.failed);
    html.quantity(short_bytes(static_cast<double>(service.bytes_up)));
    html.quantity(short_bytes(static_cast<double>(service.bytes_down))).add("</tr>");
  }
  html.add("</tbody></table></div>");
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

void add_target(const admin::TargetStatus& target, Html& html) {
  const bool is_up = target.state == "up";
  html.add("<tr>").count(target.group).cell(target.target);
  html.add(is_up ? "<td class=good>" : "<td class=bad>").add(is_up ? "&#10003; " : "&#10007; ");
  html.text(target.state);
  if (target.since) html.add(" for ").text(short_time(target.since->count()));
  html.add("</td>").cell(target.check);
  html.cell(target.kind.empty() ? target.why : target.kind + ": " + target.why);
  html.count(target.weight);
  html.quantity(std::to_string(target.connections) +
                (target.max_connections ? "/" + std::to_string(*target.max_connections) : ""));
  html.cell(addresses_of(target)).cell(override_of(target)).add("</tr>");
}

void add_targets(const admin::Status& status, Html& html) {
  html.add("<h2>Targets</h2>");
  for (const admin::ServiceStatus& service : status.services) {
    html.add("<h3>").text(service.name).add("</h3>");
    if (service.targets.empty()) {
      html.add("<p class=bad>&#10007; no target: ").text(service.no_targets).add("</p>");
      continue;
    }
    html.add("<div class=scroll><table><thead><tr><th class=n>Group</th><th>Target</th><th>State</th>"
             "<th>Check</th><th>Why</th><th class=n>Weight</th><th class=n>Open</th>"
             "<th>Addresses</th><th>Ordered</th></tr></thead><tbody>");
    for (const admin::TargetStatus& target : service.targets) add_target(target, html);
    html.add("</tbody></table></div>");
  }
}

void add_connections(const admin::Status& status, const Query& query, Html& html) {
  std::vector<const admin::ConnectionStatus*> chosen;
  static const std::vector<admin::ConnectionStatus> kNone;
  for (const auto& each : status.connection_list ? *status.connection_list : kNone) {
    if (query.service.empty() || each.service == query.service) chosen.push_back(&each);
  }
  // Those that moved last are looked for most.
  std::stable_sort(chosen.begin(), chosen.end(), [](const auto* a, const auto* b) {
    return a->bytes_up + a->bytes_down > b->bytes_up + b->bytes_down;
  });
  html.add("<h2 id=connections>Connections");
  if (!query.service.empty()) html.add(" of ").text(query.service);
  html.add("</h2>");
  const std::size_t from = std::min(query.from, chosen.size());
  const std::size_t to = std::min(from + kConnectionsOfPage, chosen.size());
  html.add("<nav>");
  if (!query.service.empty()) {
    Query all = query;
    all.service.clear();
    html.add("<a href=\"").text(link(all, query.refresh, 0)).add("#connections\">all services</a>");
  }
  if (from > 0) {
    const std::size_t before = from > kConnectionsOfPage ? from - kConnectionsOfPage : 0;
    html.add("<a href=\"").text(link(query, query.refresh, before)).add("#connections\">earlier</a>");
  }
  if (to < chosen.size()) {
    html.add("<a href=\"").text(link(query, query.refresh, to)).add("#connections\">more</a>");
  }
  html.add("</nav>");
  if (chosen.empty()) {
    html.add("<p>None.</p>");
    return;
  }
  html.add("<p>").number(from + 1).add(" to ").number(to).add(" of ").number(chosen.size());
  html.add(", those with the most bytes first</p><div class=scroll><table><thead><tr>"
           "<th>Connection</th><th>Client</th><th>Target</th><th>Phase</th><th class=n>Age</th>"
           "<th class=n>Idle</th><th class=n>From client</th><th class=n>To client</th><th>TLS</th>"
           "</tr></thead><tbody>");
  for (std::size_t i = from; i < to; ++i) {
    const admin::ConnectionStatus& each = *chosen[i];
    html.add("<tr>").cell(each.service + "[" + std::to_string(each.id) + "]").cell(each.client);
    html.cell(each.target).cell(each.phase).quantity(short_time(each.age.count()));
    html.quantity(each.idle ? short_time(each.idle->count()) : "-");
    html.quantity(short_bytes(static_cast<double>(each.bytes_up)));
    html.quantity(short_bytes(static_cast<double>(each.bytes_down))).cell(each.tls).add("</tr>");
  }
  html.add("</tbody></table></div>");
}

void add_problems(const admin::Status& status, Html& html) {
  html.add("<h2>Last problems</h2>");
  if (status.problems.empty()) {
    html.add("<p>None since the start.</p>");
    return;
  }
  html.add("<div class=scroll><table><thead><tr><th>When</th><th>Where</th><th>Kind</th>"
           "<th>What</th></tr></thead><tbody>");
  for (auto problem = status.problems.rbegin(); problem != status.problems.rend(); ++problem) {
    html.add("<tr>").cell(admin::rfc3339(problem->time));
    html.cell(problem->service +
              (problem->conn > 0 ? "[" + std::to_string(problem->conn) + "]" : ""));
    html.cell(problem->kind).cell(problem->text).add("</tr>");
  }
  html.add("</tbody></table></div>");
}

void add_reload(const admin::Status& status, Html& html) {
  html.add("<h2>Last reload</h2>");
  if (!status.last_reload) {
    html.add("<p>None since the start.</p>");
    return;
  }
  const admin::ReloadStatus& reload = *status.last_reload;
  html.add(reload.is_successful ? "<p>" : "<p class=bad>").text(admin::rfc3339(reload.time));
  html.add(reload.is_successful ? ": done" : ": failed, nothing has changed").add("</p><ul>");
  for (const std::string& line : reload.lines) html.add("<li>").text(line).add("</li>");
  html.add("</ul>");
}

}  // namespace

std::string page(const admin::Status& status, const Query& query, const History& history) {
  Html html;
  add_head(status, query, html);
  add_notices(status, html);
  add_services(status, query, html);
  add_targets(status, html);
  add_plots(history, html);
  add_connections(status, query, html);
  add_problems(status, html);
  add_reload(status, html);
  return html.add("</body></html>\n").take();
}

}  // namespace tunnel::web
