// SPDX-License-Identifier: MIT
#include "web/request.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/address.h"
#include "base/text.h"

namespace tunnel::web {
namespace {

// Whole paths, compared as they came. With prefixes, or decoded, "/metrics/../status.json" would
// get past a proxy that lets through /metrics only.
constexpr auto kRoutes = std::to_array<std::pair<std::string_view, Route>>({
    {"/", Route::page},
    {"/status.json", Route::status},
    {"/connections.json", Route::connections},
    {"/metrics", Route::metrics},
    {"/livez", Route::livez},
    {"/readyz", Route::readyz},
});

// In the order of the enum, by which word() finds them.
constexpr auto kOrders = std::to_array<std::pair<std::string_view, Order>>({
    {"bytes", Order::bytes},
    {"age", Order::age},
    {"idle", Order::idle},
    {"service", Order::service},
    {"client", Order::client},
    {"target", Order::target},
});

// Without brackets and port; empty when it is none of "HOST", "HOST:PORT", "[IPV6]", "[IPV6]:PORT".
std::string_view name_of(std::string_view host) {
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos) return {};
    const std::string_view rest = host.substr(end + 1);
    const bool is_port =
        rest.starts_with(':') && std::all_of(rest.begin() + 1, rest.end(), is_digit);
    return rest.empty() || is_port ? host.substr(1, end - 1) : std::string_view{};
  }
  const std::size_t colon = host.find(':');
  if (colon == std::string_view::npos) return host;
  const std::string_view port = host.substr(colon + 1);
  return std::all_of(port.begin(), port.end(), is_digit) ? host.substr(0, colon)
                                                         : std::string_view{};
}

// 0 for what is no number, or a larger one.
std::size_t number_in(std::string_view text, std::size_t most) {
  std::size_t value = 0;
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return 0;
  for (const char digit : text) {
    value = value * 10 + static_cast<std::size_t>(digit - '0');
    // Before the next digit could overflow.
    if (value > most) return 0;
  }
  return value;
}

// A value of the query, as a form sends it.
std::string decoded(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent_decoded(spaced);
}

}  // namespace

std::string_view word(Order order) { return kOrders[static_cast<std::size_t>(order)].first; }

Query query_of(Route route, const Request& request) {
  constexpr std::size_t kLongestRefresh = 3600;
  constexpr std::size_t kMostConnections = 100'000'000;
  const auto* const order = std::find_if(
      kOrders.begin(), kOrders.end(), [&](const auto& each) { return each.first == request.sort; });
  return {.route = route,
          .is_open_metrics = wants_open_metrics(request.accept),
          .with_targets = request.targets == "1",
          .refresh = static_cast<unsigned>(number_in(request.refresh, kLongestRefresh)),
          .service = decoded(request.service),
          .filter = decoded(request.filter),
          .order = order != kOrders.end() ? order->second : Order::bytes,
          .from = number_in(request.from, kMostConnections),
          .limit = number_in(request.limit, kMostConnections),
          .after = decoded(request.after)};
}

bool is_host_allowed(std::string_view host, const std::vector<std::string>& names) {
  const std::string_view name = name_of(host);
  if (name.empty()) return false;
  if (equal_ignoring_case(name, "localhost")) return true;
  if (SocketAddress::parse_ip(std::string(name), 0)) return true;
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& each) { return equal_ignoring_case(name, each); });
}

// Host comes first: a web page elsewhere that has pointed a name of its own at this machine (DNS
// rebinding) gets no other answer, whatever it asks for.
Decision decide(const Request& request, const std::vector<std::string>& names) {
  if (!request.host || !is_host_allowed(*request.host, names)) {
    return {{}, 421, "the Host header is no address, not localhost and not in status_hosts"};
  }
  // RFC 9112, section 3.2: who stands in between may have looked at the other one.
  if (request.has_more_hosts) return {{}, 400, "a request has one Host header"};
  // Browsers send Origin with requests across sites and with every POST. The page's own links and
  // form are plain GETs and come without it.
  if (request.origin || (request.fetch_site && *request.fetch_site == "cross-site")) {
    return {{}, 403, "requests on behalf of other web pages are refused"};
  }
  if (request.method != "GET" && request.method != "HEAD") {
    return {{}, 405, "this is for reading only: GET and HEAD"};
  }
  // An unread body is what request smuggling is made of.
  if (request.has_body) return {{}, 400, "a request has no body here"};
  const auto* const found = std::find_if(
      kRoutes.begin(), kRoutes.end(), [&](const auto& each) { return each.first == request.path; });
  if (found == kRoutes.end()) return {{}, 404, "there is no such page"};
  return {found->second, 200, {}};
}

// Prometheus writes "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;...": what it
// names with a weight above zero it can read, and it names OpenMetrics only where it prefers that.
bool wants_open_metrics(std::string_view accept) {
  while (!accept.empty()) {
    const std::size_t comma = std::min(accept.find(','), accept.size());
    const std::string_view range = accept.substr(0, comma);
    accept.remove_prefix(std::min(comma + 1, accept.size()));
    if (range.find("application/openmetrics-text") == std::string_view::npos) continue;
    const std::size_t version = range.find("version=");
    if (version != std::string_view::npos && !range.substr(version + 8).starts_with("1.0.0")) {
      continue;
    }
    const std::size_t weight = range.find("q=0");
    const bool is_refused =
        weight != std::string_view::npos &&
        range.substr(weight + 3).find_first_of("123456789") == std::string_view::npos;
    if (!is_refused) return true;
  }
  return false;
}

}  // namespace tunnel::web
