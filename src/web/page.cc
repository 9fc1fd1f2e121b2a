// SPDX-License-Identifier: MIT
#include "web/page.h"

#include <string>
#include <vector>

#include "admin/short_text.h"
#include "admin/status_json.h"
#include "base/text.h"
#include "web/html.h"
#include "web/page_parts.h"

namespace tunnel::web {
namespace {

using admin::short_time;

void add_head(const admin::Status& status, const Query& query, Html& html) {
  html.add(
      "<!doctype html><html lang=en><head><meta charset=utf-8>"
      "<meta name=viewport content=\"width=device-width,initial-scale=1\">");
  if (query.refresh > 0) {
    html.add("<meta http-equiv=refresh content=").number(query.refresh).add(">");
  }
  html.add("<title>tunnel: ").text(status.config).add("</title><style>").add(kPageStyle);
  html.add("</style></head><body><h1>tunnel ").text(status.version).add("</h1><p>");
  html.text(status.state).add(", process ").number(static_cast<unsigned long long>(status.pid));
  html.add(", since ").text(admin::rfc3339(status.started)).add(" (");
  html.text(short_time(admin::Seconds(status.now - status.started).count())).add("). ");
  html.text(count_of(status.connections, "connection")).add(", ");
  html.text(count_of(status.workers, "worker")).add(", log level ").text(status.log_level);
  html.add(", sandbox ").text(status.sandbox.mode);
  html.add(".<br>Configuration <code>").text(status.config).add("</code>, loaded ");
  // "sha256:" and twelve digits, which is enough to tell two apart by eye.
  html.text(admin::rfc3339(status.loaded)).add(", <code>").text(status.config_hash.substr(0, 19));
  html.add("</code></p>");
  // A link instead of a script: what the page may load is nothing (see kHeaders in http_daemon.cc).
  html.add("<nav><a href=\"").text(link(query, query.refresh > 0 ? 0 : 5, query.from)).add("\">");
  html.add(query.refresh > 0 ? "stop refreshing" : "refresh every 5 seconds").add("</a> ");
  html.add(
      "<a href=\"/status.json\">status.json</a> <a href=\"/connections.json\">connections.json</a>"
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
    notices.push_back(
        "capturing " +
        (capture.services.empty() ? "every service" : enumerated(capture.services, ", ")) + " (" +
        capture.layer + ") to " + capture.to + " since " + admin::rfc3339(capture.since) + ", by " +
        capture.by);
  }
  if (notices.empty()) return;
  html.add("<h2>To be known</h2><ul>");
  for (const std::string& notice : notices) html.add("<li>").text(notice).add("</li>");
  html.add("</ul>");
}

void add_problems(const admin::Status& status, Html& html) {
  html.add("<h2>Last problems</h2>");
  if (status.problems.empty()) {
    html.add("<p>None since the start.</p>");
    return;
  }
  html.add(
      "<div class=scroll><table><thead><tr><th>When</th><th>Where</th><th>Kind</th>"
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
  add_services(status, history, query, html);
  add_targets(status, html);
  add_plots(history, html);
  add_certificates(status, html);
  add_connections(status, query, html);
  add_closed(status, query, html);
  add_problems(status, html);
  add_reload(status, html);
  return html.add("</body></html>\n").take();
}

}  // namespace tunnel::web
