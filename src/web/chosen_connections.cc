// SPDX-License-Identifier: MIT
#include "web/chosen_connections.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "admin/status_json.h"

namespace tunnel::web {
namespace {

bool has(const admin::ConnectionStatus& connection, const std::string& text) {
  const std::string name = name_of(connection);
  for (const std::string_view field :
       {std::string_view(name), std::string_view(connection.client),
        std::string_view(connection.target), std::string_view(connection.phase),
        std::string_view(connection.tls)}) {
    if (field.find(text) != std::string_view::npos) return true;
  }
  return false;
}

bool is_before(Order order, const admin::ConnectionStatus& a, const admin::ConnectionStatus& b) {
  switch (order) {
    case Order::bytes:
      break;
    case Order::age:
      return a.age > b.age;
    case Order::idle:
      // What has not been established yet comes last.
      return a.idle.value_or(admin::Seconds(-1)) > b.idle.value_or(admin::Seconds(-1));
    case Order::service:
      return a.service != b.service ? a.service < b.service : a.id < b.id;
    case Order::client:
      return a.client < b.client;
    case Order::target:
      return a.target < b.target;
  }
  return a.bytes_up + a.bytes_down > b.bytes_up + b.bytes_down;
}

// Where a connection stands among all: by this no list is upset by those that come and go.
using Place = std::pair<std::string_view, std::uint64_t>;

Place place_of(const admin::ConnectionStatus& connection) {
  return {connection.service, connection.id};
}

// Of "ldap[12]"; nothing for another text.
std::optional<Place> place_of(std::string_view name) {
  // The last one: a service may have brackets in its name.
  const std::size_t open = name.rfind('[');
  if (open == std::string_view::npos || !name.ends_with(']')) return std::nullopt;
  const std::string_view digits = name.substr(open + 1, name.size() - open - 2);
  std::uint64_t id = 0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  if (end.ec != std::errc() || end.ptr != digits.data() + digits.size()) return std::nullopt;
  return Place{name.substr(0, open), id};
}

Chosen matching(const admin::Status& status, const Query& query) {
  Chosen matching;
  if (!status.connection_list) return matching;
  for (const admin::ConnectionStatus& each : *status.connection_list) {
    if (!query.service.empty() && each.service != query.service) continue;
    if (query.filter.empty() || has(each, query.filter)) matching.push_back(&each);
  }
  return matching;
}

}  // namespace

Chosen chosen(const admin::Status& status, const Query& query) {
  Chosen chosen = matching(status, query);
  std::stable_sort(chosen.begin(), chosen.end(),
                   [&](const auto* a, const auto* b) { return is_before(query.order, *a, *b); });
  return chosen;
}

admin::Json listing(const admin::Status& status, const Query& query) {
  Chosen all = matching(status, query);
  std::sort(all.begin(), all.end(),
            [](const auto* a, const auto* b) { return place_of(*a) < place_of(*b); });
  std::span<const admin::ConnectionStatus* const> rest = all;
  if (const auto after = place_of(query.after)) {
    // By the place and not by the entry: that connection may have ended since the last page was
    // fetched.
    const auto first = std::upper_bound(
        all.begin(), all.end(), *after,
        [](const Place& place, const auto* each) { return place < place_of(*each); });
    rest = rest.subspan(static_cast<std::size_t>(first - all.begin()));
  }
  const bool is_cut = query.limit > 0 && query.limit < rest.size();
  if (is_cut) rest = rest.first(query.limit);
  admin::Json list = admin::Json::array();
  for (const admin::ConnectionStatus* each : rest) list.push_back(admin::to_json(*each));
  return {{"schema", 1},
          {"silent_workers", status.silent_workers},
          {"total", all.size()},
          {"next", is_cut ? admin::Json(name_of(*rest.back())) : admin::Json()},
          {"connections", std::move(list)}};
}

}  // namespace tunnel::web
