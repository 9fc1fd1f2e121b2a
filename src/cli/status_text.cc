// SPDX-License-Identifier: MIT
#include "cli/status_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "admin/short_text.h"
#include "base/text.h"
#include "cli/status_fields.h"

namespace tunnel::cli {
namespace {

using admin::Json;
using fields::count;
using fields::counted;
using fields::has;
using fields::joined;
using fields::list;
using fields::number;
using fields::text;

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
  out += fmt::format(", {} ended, {} of them failed; {} up, {} down; {}\n", count(service, "ended"),
                     count(service, "failed"), admin::short_bytes(number(service, "bytes_up")),
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
    if (warning.is_string()) {
      out += "warning: " + printable(warning.get<std::string>(), 4096) + "\n";
    }
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
  for (std::size_t i = problems.size() > kShown ? problems.size() - kShown : 0; i < problems.size();
       ++i) {
    const Json& problem = problems[i];
    const std::string service = text(problem, "service");
    out += "  " + text(problem, "time") + " " + (service.empty() ? "" : service + ": ") +
           text(problem, "text") + "\n";
  }
}

}  // namespace

std::string connection_line(const Json& connection) {
  return fmt::format("{:<16} {:<22} {:<9} {:>6} {:>6} {:>8} {:>8}",
                     text(connection, "service") + "[" + count(connection, "conn") + "]",
                     text(connection, "client"), text(connection, "phase"),
                     admin::short_time(number(connection, "age")),
                     has(connection, "idle") ? admin::short_time(number(connection, "idle")) : "-",
                     admin::short_bytes(number(connection, "bytes_up")),
                     admin::short_bytes(number(connection, "bytes_down")));
}

std::string status_text(const Json& status) {
  std::string out;
  add_process(status, out);
  for (const Json& service : list(status, "services")) add_service(service, out);
  add_connections(status, out);
  add_reload(status, out);
  add_problems(status, out);
  return out;
}

}  // namespace tunnel::cli
