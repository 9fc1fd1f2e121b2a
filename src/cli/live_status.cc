// SPDX-License-Identifier: MIT
#include "cli/live_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "admin/short_text.h"
#include "cli/status_fields.h"
#include "cli/status_text.h"

namespace tunnel::cli {
namespace {

using admin::Json;
using fields::count;
using fields::list;
using fields::number;
using fields::text;

// Cut to the terminal's width, by characters.
std::string cut(const std::string& line, std::size_t columns) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const bool is_start = (static_cast<unsigned char>(line[at]) & 0xc0U) != 0x80;
    if (is_start && ++width > columns) return line.substr(0, at);
  }
  return line;
}

double rate_of(const Json& service, const Traffic& before, double seconds) {
  const auto known = before.find(text(service, "service"));
  const double bytes = number(service, "bytes_up") + number(service, "bytes_down");
  if (known == before.end() || seconds <= 0) return 0;
  // A service that was removed and has come back counts from 0 again.
  return std::max(0.0, bytes - static_cast<double>(known->second)) / seconds;
}

// "2/3 up", and how those that are not are.
std::string targets_text(const Json& service) {
  std::size_t up = 0;
  std::string others;
  for (const Json& target : list(service, "targets")) {
    if (text(target, "state") == "up") {
      ++up;
    } else {
      others += ", " + text(target, "target") + " " + text(target, "state");
    }
  }
  return fmt::format("{}/{} up", up, list(service, "targets").size()) + others;
}

}  // namespace

Traffic traffic_of(const Json& status) {
  Traffic traffic;
  for (const Json& service : list(status, "services")) {
    traffic[text(service, "service")] =
        static_cast<std::uint64_t>(number(service, "bytes_up") + number(service, "bytes_down"));
  }
  return traffic;
}

// Services are sorted by what they move now. Connections are sorted by what they have moved since
// their beginning: of them no earlier reading is kept.
std::string status_screen(const Json& status, const Traffic& before, double seconds,
                          ScreenSize size) {
  std::vector<const Json*> services;
  for (const Json& service : list(status, "services")) services.push_back(&service);
  std::stable_sort(services.begin(), services.end(), [&](const Json* a, const Json* b) {
    return rate_of(*a, before, seconds) > rate_of(*b, before, seconds);
  });
  std::vector<std::string> lines;
  lines.push_back(fmt::format("tunnel {}  {}  {}  {} connections  (q leaves)",
                              text(status, "version"), text(status, "config"),
                              text(status, "state"), count(status, "connections")));
  lines.push_back(fmt::format("{:<16} {:>6} {:>9} {:>8} {:>8}  {}", "service", "open", "per s",
                              "up", "down", "targets"));
  for (const Json* service : services) {
    lines.push_back(fmt::format(
        "{:<16} {:>6} {:>9} {:>8} {:>8}  {}", text(*service, "service"),
        count(*service, "connections"), admin::short_bytes(rate_of(*service, before, seconds)),
        admin::short_bytes(number(*service, "bytes_up")),
        admin::short_bytes(number(*service, "bytes_down")), targets_text(*service)));
  }
  std::vector<const Json*> connections;
  for (const Json& connection : list(status, "connection_list")) connections.push_back(&connection);
  std::stable_sort(connections.begin(), connections.end(), [](const Json* a, const Json* b) {
    return number(*a, "bytes_up") + number(*a, "bytes_down") >
           number(*b, "bytes_up") + number(*b, "bytes_down");
  });
  if (!connections.empty()) {
    lines.emplace_back();
    lines.emplace_back(kConnectionHead);
  }
  for (const Json* connection : connections) lines.push_back(connection_line(*connection));
  if (lines.size() > size.rows) lines.resize(size.rows);
  std::string screen;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    screen += cut(lines[i], size.columns) + (i + 1 < lines.size() ? "\n" : "");
  }
  return screen;
}

}  // namespace tunnel::cli
