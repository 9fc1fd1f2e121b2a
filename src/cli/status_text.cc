// SPDX-License-Identifier: MIT
#include "cli/status_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "admin/short_text.h"
#include "base/text.h"
#include "base/unicode.h"

namespace tunnel::cli {
namespace {

using admin::Json;

std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? printable(found->get<std::string>(), 4096)
                                                     : "";
}

double number(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

std::string counted(const Json& object, const char* key, std::string_view noun) {
  return count_of(static_cast<std::uint64_t>(number(object, key)), noun);
}

bool has(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && !found->is_null();
}

const Json& list(const Json& object, const char* key) {
  static const Json kNone = Json::array();
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : kNone;
}

std::string count(const Json& object, const char* key) {
  return fmt::format("{:.0f}", number(object, key));
}

std::string joined(const Json& texts) {
  std::string all;
  for (const Json& one : texts) {
    if (one.is_string()) all += (all.empty() ? "" : ", ") + printable(one.get<std::string>(), 4096);
  }
  return all;
}

// Who ordered something, and for how much longer.
std::string ordered(const Json& order) {
  std::string words = "by uid " + count(order, "uid") + ", pid " + count(order, "pid");
  if (has(order, "left")) words += ", for " + admin::short_time(number(order, "left")) + " more";
  return words;
}

std::string override_text(const Json& override) {
  std::string what = text(override, "what");
  if (what == "weight") what += " " + count(override, "weight");
  return what + " " + ordered(override);
}

std::string state_text(const Json& target) {
  std::string state = text(target, "state");
  if (has(target, "since")) state += " for " + admin::short_time(number(target, "since"));
  if (has(target, "ejected_for")) {
    state += ", tried again in " + admin::short_time(number(target, "ejected_for"));
  }
  return state;
}

void add_target(const Json& target, std::string& out) {
  out += fmt::format("  {}  {:<30} {}\n", count(target, "group"), text(target, "target"),
                     state_text(target));
  std::string facts = count(target, "connections");
  if (has(target, "max_connections")) facts += " of " + count(target, "max_connections");
  facts += number(target, "connections") == 1 ? " connection" : " connections";
  facts += ", weight " + count(target, "weight");
  if (const std::string check = text(target, "check"); check != "no check") facts += ", " + check;
  if (const std::string addresses = joined(list(target, "addresses")); !addresses.empty()) {
    facts += ", " + addresses;
    if (has(target, "addresses_age")) {
      facts += " (" + admin::short_time(number(target, "addresses_age")) + " old)";
    }
  }
  out += "       " + facts + "\n";
  if (const std::string why = text(target, "why"); !why.empty()) {
    out += "       " + text(target, "kind") + ": " + why + "\n";
  }
  if (has(target, "override")) out += "       " + override_text(target["override"]) + "\n";
}

void add_service(const Json& service, std::string& out) {
  out += "\n" + text(service, "service");
  if (const std::string accept = joined(list(service, "accept")); !accept.empty()) {
    out += "  " + accept;
  }
  if (service.value("draining", false)) out += "  draining";
  out += "\n  " + count(service, "connections");
  if (has(service, "max_connections")) out += " of " + count(service, "max_connections");
  out += " open";
  if (service.value("preconnected", 0U) > 0) {
    out += ", " + count(service, "preconnected") + " ready for clients";
  }
  out += fmt::format(", {} ended, {} of them failed; {} up, {} down; {}\n",
                     count(service, "ended"), count(service, "failed"),
                     admin::short_bytes(number(service, "bytes_up")),
                     admin::short_bytes(number(service, "bytes_down")), text(service, "balance"));
  if (const std::string why = text(service, "no_targets"); !why.empty()) out += "  " + why + "\n";
  for (const Json& target : list(service, "targets")) add_target(target, out);
}

void add_sandbox(const Json& status, std::string& out) {
  if (!has(status, "sandbox")) return;  // of an older version
  const Json& sandbox = status["sandbox"];
  const std::string in_force = joined(list(sandbox, "in_force"));
  out += "sandbox " + text(sandbox, "mode") + (in_force.empty() ? "" : ": " + in_force);
  std::string absent;
  for (const Json& each : list(sandbox, "absent")) {
    absent += (absent.empty() ? "" : ", ") + text(each, "part");
  }
  out += (absent.empty() ? "" : "; not " + absent) + "\n";
}

std::string connection_line(const Json& connection) {
  return fmt::format("{:<16} {:<22} {:<9} {:>6} {:>6} {:>8} {:>8}",
                     text(connection, "service") + "[" + count(connection, "conn") + "]",
                     text(connection, "client"), text(connection, "phase"),
                     admin::short_time(number(connection, "age")),
                     has(connection, "idle") ? admin::short_time(number(connection, "idle")) : "-",
                     admin::short_bytes(number(connection, "bytes_up")),
                     admin::short_bytes(number(connection, "bytes_down")));
}

constexpr const char* kConnectionHead =
    "connection       client                 phase        age   idle       up     down";

void add_connections(const Json& status, std::string& out) {
  if (list(status, "connection_list").empty()) return;
  out += "\n" + std::string(kConnectionHead) + "\n";
  for (const Json& connection : list(status, "connection_list")) {
    out += connection_line(connection) + "\n";
    const std::string target = text(connection, "target");
    const std::string tls = text(connection, "tls");
    if (!target.empty()) out += "  -> " + target + (tls.empty() ? "" : "  " + tls) + "\n";
  }
}

void add_process(const Json& status, std::string& out) {
  out += fmt::format("tunnel {}, process {}, {} since {}\n", text(status, "version"),
                     count(status, "pid"), text(status, "state"), text(status, "started"));
  out += fmt::format("{} ({}), loaded {}\n", text(status, "config"),
                     text(status, "config_hash").substr(0, 19), text(status, "loaded"));
  out += fmt::format("{}, {}, log level {}\n", counted(status, "connections", "connection"),
                     counted(status, "workers", "worker"), text(status, "log_level"));
  add_sandbox(status, out);
  for (const Json& worker : list(status, "silent_workers")) {
    out += fmt::format("worker {} did not answer in time\n", worker.dump());
  }
  for (const Json& level : list(status, "level_overrides")) {
    out += "log level " + text(level, "level");
    if (const std::string service = text(level, "service"); !service.empty()) {
      out += " for service " + service;
    }
    if (const std::string client = text(level, "client"); !client.empty()) {
      out += " for clients " + client;
    }
    out += ", " + ordered(level) + "\n";
  }
  for (const Json& capture : list(status, "captures")) {
    std::string services;
    for (const Json& service : list(capture, "services")) {
      if (service.is_string()) services += " " + printable(service.get<std::string>());
    }
    out += fmt::format("capturing{} ({}) to {} since {}, by {}: {} packets, {} dropped\n",
                       services.empty() ? " every service" : services, text(capture, "layer"),
                       text(capture, "to"), text(capture, "since"), text(capture, "by"),
                       count(capture, "packets"), count(capture, "dropped"));
  }
  for (const Json& warning : list(status, "warnings")) {
    if (warning.is_string()) out += "warning: " + printable(warning.get<std::string>(), 4096) + "\n";
  }
}

void add_reload(const Json& status, std::string& out) {
  if (!has(status, "last_reload")) return;
  const Json& reload = status["last_reload"];
  out += fmt::format("\nlast reload at {}: {}\n", text(reload, "time"),
                     reload.value("successful", false) ? "done" : "failed, nothing changed");
  for (const Json& line : list(reload, "lines")) {
    if (line.is_string()) out += "  " + printable(line.get<std::string>(), 4096) + "\n";
  }
}

// The latest ones, the newest last.
void add_problems(const Json& status, std::string& out) {
  constexpr std::size_t kShown = 10;
  const Json& problems = list(status, "problems");
  if (problems.empty()) return;
  out += "\nlast problems\n";
  for (std::size_t i = problems.size() > kShown ? problems.size() - kShown : 0;
       i < problems.size(); ++i) {
    const Json& problem = problems[i];
    const std::string service = text(problem, "service");
    out += "  " + text(problem, "time") + " " + (service.empty() ? "" : service + ": ") +
           text(problem, "text") + "\n";
  }
}

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

std::string status_text(const Json& status) {
  std::string out;
  add_process(status, out);
  for (const Json& service : list(status, "services")) add_service(service, out);
  add_connections(status, out);
  add_reload(status, out);
  add_problems(status, out);
  return out;
}

Traffic traffic_of(const Json& status) {
  Traffic traffic;
  for (const Json& service : list(status, "services")) {
    traffic[text(service, "service")] = static_cast<std::uint64_t>(
        number(service, "bytes_up") + number(service, "bytes_down"));
  }
  return traffic;
}

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
    lines.push_back(fmt::format("{:<16} {:>6} {:>9} {:>8} {:>8}  {}", text(*service, "service"),
                                count(*service, "connections"),
                                admin::short_bytes(rate_of(*service, before, seconds)),
                                admin::short_bytes(number(*service, "bytes_up")),
                                admin::short_bytes(number(*service, "bytes_down")),
                                targets_text(*service)));
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
