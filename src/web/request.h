// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tunnel::web {

// What is served. There are no other paths, and none of them changes anything.
enum class Route { page, status, connections, metrics, livez, readyz };

// The head of a request as far as it decides anything. Values of another process: hostile. The
// views are valid as long as what they were taken from.
struct Request {
  std::string_view method{};
  std::string_view path{};                 // as it came: nothing is decoded
  std::optional<std::string_view> host{};  // the headers; of several, the first
  bool has_more_hosts = false;
  std::optional<std::string_view> origin{};
  std::optional<std::string_view> fetch_site{};  // Sec-Fetch-Site
  std::string_view accept{};
  // Of the query, as they came; empty when they are not there.
  std::string_view targets{}, refresh{}, service{}, from{}, filter{}, sort{}, limit{}, after{};
  bool has_body = false;
};

// In which order connections are shown: the most bytes first, the longest there, the longest idle,
// or by their texts.
enum class Order { bytes, age, idle, service, client, target };
[[nodiscard]] std::string_view word(Order order);

// What is wanted of a route; a value that outlives the request.
struct Query {
  Route route = Route::page;
  bool is_open_metrics = false;
  bool with_targets = false;  // readyz?targets=1
  unsigned refresh = 0;       // seconds; 0: none
  std::string service{};      // show this one's connections only; empty: all
  std::string filter{};       // and those only that have this in some field; empty: all
  Order order = Order::bytes;
  std::size_t from = 0;   // the first connection to be shown on the page
  std::size_t limit = 0;  // how many to be listed as JSON; 0: all
  std::string after{};    // and behind which, by name
};
[[nodiscard]] Query query_of(Route route, const Request& request);

// Where a request leads, or the HTTP status with which it is refused and why. Pure.
struct Decision {
  std::optional<Route> route;
  unsigned status = 200;
  std::string_view reason;  // a sentence without its full stop
};
[[nodiscard]] Decision decide(const Request& request, const std::vector<std::string>& names);

// Whether a Host header may stand: an IP address, "localhost" or one of the names, with or without
// a port. Any other name is one that a web page elsewhere has pointed at this machine (DNS
// rebinding).
[[nodiscard]] bool is_host_allowed(std::string_view host, const std::vector<std::string>& names);

// Whether `Accept` asks for OpenMetrics rather than for Prometheus's older text.
[[nodiscard]] bool wants_open_metrics(std::string_view accept);

}  // namespace tunnel::web
