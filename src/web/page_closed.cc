// SPDX-License-Identifier: MIT
// The page's table of connections that are over.
#include <string>

#include "admin/short_text.h"
#include "web/chosen_connections.h"
#include "web/page_parts.h"

namespace tunnel::web {
namespace {

using admin::short_bytes;
using admin::short_time;

void add_one(const admin::ClosedStatus& closed, Html& html) {
  html.add("<tbody><tr>").quantity(short_time(closed.ago.count()) + " ago");
  html.cell(name_of(closed)).cell(closed.client);
  html.cell(closed.target).quantity(short_time(closed.lasted.count()));
  html.quantity(short_bytes(static_cast<double>(closed.bytes_up)));
  html.quantity(short_bytes(static_cast<double>(closed.bytes_down))).add("</tr>");
  html.add("<tr class=more><td></td><td colspan=6>");
  html.add(closed.has_failed ? "<span class=bad>&#10007; " : "<span>").text(closed.kind);
  html.add("</span>").text(closed.side.empty() ? "" : ", ended by " + std::string(closed.side));
  html.text(closed.why.empty() ? "" : ": " + closed.why).add("</td></tr></tbody>");
}

}  // namespace

void add_closed(const admin::Status& status, const Query& query, Html& html) {
  Html rows;
  for (auto closed = status.closed.rbegin(); closed != status.closed.rend(); ++closed) {
    if (query.service.empty() || closed->service == query.service) add_one(*closed, rows);
  }
  html.add("<h2 id=closed>Last connections that are over</h2>");
  const std::string shown = rows.take();
  if (shown.empty()) {
    html.add("<p>None.</p>");
    return;
  }
  html.add(
      "<div class=scroll><table><thead><tr><th class=n>When</th><th>Connection</th><th>Client</th>"
      "<th>Target</th><th class=n>Lasted</th><th class=n>From client</th><th class=n>To client</th>"
      "</tr></thead>");
  html.add(shown).add("</table></div>");
}

}  // namespace tunnel::web
