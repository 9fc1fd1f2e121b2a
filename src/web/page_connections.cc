// SPDX-License-Identifier: MIT
// The page's table of connections.
#include <algorithm>
#include <string>
#include <vector>

#include "admin/short_text.h"
#include "base/text.h"
#include "web/page.h"
#include "web/page_parts.h"

namespace tunnel::web {

using admin::short_bytes;
using admin::short_time;

// How the query of a link differs from the present one's.
std::string link(const Query& query, unsigned refresh, std::size_t from) {
  std::string text = "?";
  if (refresh > 0) text += "refresh=" + std::to_string(refresh);
  if (!query.service.empty()) text += "&service=" + percent_encoded(query.service);
  if (from > 0) text += "&from=" + std::to_string(from);
  return text;
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

}  // namespace tunnel::web
