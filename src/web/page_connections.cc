// SPDX-License-Identifier: MIT
// The page's table of connections.
#include <algorithm>
#include <string>

#include "admin/short_text.h"
#include "base/text.h"
#include "web/chosen_connections.h"
#include "web/page.h"
#include "web/page_parts.h"

namespace tunnel::web {

using admin::short_bytes;
using admin::short_time;

namespace {

// A form without a script: the browser makes a query of it.
void add_form(const Query& query, Html& html) {
  html.add("<form action=\"/#connections\">");
  if (query.refresh > 0) {
    html.add("<input type=hidden name=refresh value=").number(query.refresh).add(">");
  }
  if (!query.service.empty()) {
    html.add("<input type=hidden name=service value=\"").text(query.service).add("\">");
  }
  html.add("<label>with <input name=filter size=20 value=\"").text(query.filter).add("\"></label>");
  html.add("<label>by <select name=sort>");
  for (const Order order :
       {Order::bytes, Order::age, Order::idle, Order::service, Order::client, Order::target}) {
    html.add(order == query.order ? "<option selected>" : "<option>").add(word(order));
    html.add("</option>");
  }
  html.add("</select></label><button>Show</button></form>");
}

void add_links(const Query& query, std::size_t from, std::size_t to, std::size_t all, Html& html) {
  const auto add = [&](const Query& to_query, std::size_t first, std::string_view text) {
    html.add("<a href=\"").text(link(to_query, to_query.refresh, first)).add("#connections\">");
    html.add(text).add("</a>");
  };
  html.add("<nav>");
  if (!query.service.empty() || !query.filter.empty()) {
    add({.refresh = query.refresh, .order = query.order}, 0, "all connections");
  }
  if (from > 0) {
    add(query, from > kConnectionsOfPage ? from - kConnectionsOfPage : 0, "earlier");
  }
  if (to < all) add(query, to, "more");
  html.add("</nav>");
}

std::string client_of(const admin::ConnectionStatus& each) {
  return each.client + (each.uid ? " (uid " + std::to_string(*each.uid) + ")" : "");
}

void add_connection(const admin::ConnectionStatus& each, Html& html) {
  html.add("<tbody><tr>").cell(name_of(each)).cell(client_of(each));
  html.cell(each.target).quantity(short_time(each.age.count()));
  html.quantity(each.idle ? short_time(each.idle->count()) : "-");
  html.quantity(short_bytes(static_cast<double>(each.bytes_up)));
  html.quantity(short_bytes(static_cast<double>(each.bytes_down))).add("</tr>");
  html.add("<tr class=more><td></td><td colspan=6>").text(each.phase);
  html.text(each.tls.empty() ? "" : " · " + each.tls).add("</td></tr></tbody>");
}

}  // namespace

std::string link(const Query& query, unsigned refresh, std::size_t from) {
  std::string text;
  const auto add = [&](std::string_view name, const std::string& value) {
    text += (text.empty() ? "?" : "&") + std::string(name) + "=" + value;
  };
  if (refresh > 0) add("refresh", std::to_string(refresh));
  if (!query.service.empty()) add("service", percent_encoded(query.service));
  if (!query.filter.empty()) add("filter", percent_encoded(query.filter));
  if (query.order != Order::bytes) add("sort", std::string(word(query.order)));
  if (from > 0) add("from", std::to_string(from));
  return text.empty() ? "/" : text;
}

void add_connections(const admin::Status& status, const Query& query, Html& html) {
  const Chosen shown = chosen(status, query);
  html.add("<h2 id=connections>Connections");
  if (!query.service.empty()) html.add(" of ").text(query.service);
  html.add("</h2>");
  add_form(query, html);
  const std::size_t from = query.from < shown.size() ? query.from : 0;
  const std::size_t to = std::min(from + kConnectionsOfPage, shown.size());
  add_links(query, from, to, shown.size(), html);
  if (shown.empty()) {
    html.add("<p>None.</p>");
    return;
  }
  html.add("<p>").number(from + 1).add(" to ").number(to).add(" of ").number(shown.size());
  html.add(
      "</p><div class=scroll><table><thead><tr>"
      "<th>Connection</th><th>Client</th><th>Target</th><th class=n>Age</th>"
      "<th class=n>Idle</th><th class=n>From client</th><th class=n>To client</th></tr></thead>");
  for (std::size_t i = from; i < to; ++i) add_connection(*shown[i], html);
  html.add("</table></div>");
}

}  // namespace tunnel::web
