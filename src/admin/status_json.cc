// SPDX-License-Identifier: MIT
#include "admin/status_json.h"

#include <time.h>

#include <cmath>

#include "base/text.h"
#include "log/level.h"

namespace tunnel::admin {
namespace {

// Milliseconds are exact enough, and shorter.
Json seconds(Seconds duration) { return std::round(duration.count() * 1000) / 1000; }

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json or_null(const std::optional<Seconds>& value) { return value ? seconds(*value) : Json(); }

const char* word(balance::Override::What what) {
  switch (what) {
    case balance::Override::What::drain:
      return "drain";
    case balance::Override::What::eject:
      return "eject";
    case balance::Override::What::weight:
      return "weight";
  }
  return "";
}

Json to_json(const OverrideStatus& override) {
  Json json{{"what", word(override.what)},
            {"uid", override.uid},
            {"pid", override.pid},
            {"left", or_null(override.left)}};
  if (override.what == balance::Override::What::weight) json["weight"] = override.weight;
  return json;
}

// Of seconds since 1970; 0: not known.
Json date(std::int64_t at) {
  return at == 0 ? Json() : Json(rfc3339(std::chrono::system_clock::from_time_t(at)));
}

Json to_json(const balance::Identity& identity) {
  return {{"subject", identity.subject},
          {"issuer", identity.issuer},
          {"pin", identity.pin},
          {"not_after", date(identity.not_after)},
          {"path", identity.path},
          {"path_not_after", date(identity.path_until)},
          {"ocsp_until", date(identity.ocsp_until)},
          {"tls_version", identity.tls_version}};
}

Json to_json(const ClosedStatus& closed) {
  return {{"service", closed.service},
          {"conn", closed.id},
          {"client", closed.client},
          {"target", closed.target},
          {"kind", closed.kind},
          {"side", closed.side},
          {"why", closed.why},
          {"ago", seconds(closed.ago)},
          {"lasted", seconds(closed.lasted)},
          {"bytes_up", closed.bytes_up},
          {"bytes_down", closed.bytes_down},
          {"tls", closed.tls}};
}

Json to_json(const CheckStatus& check) {
  return {{"ago", seconds(check.ago)},
          {"took", check.took.count()},  // often less than a millisecond
          {"kind", check.kind},
          {"why", check.why}};
}

Json to_json(const TargetStatus& target) {
  Json failures = Json::object();
  for (const KindCount& each : target.counts.failures) {
    if (each.count > 0) failures[std::string(each.kind)] = each.count;
  }
  Json addresses = Json::array();
  for (const AddressStatus& address : target.addresses) addresses.push_back(address.address);
  return {{"target", target.target},
          {"name", target.name},
          {"group", target.group},
          {"state", target.state},
          {"since", or_null(target.since)},
          {"ejected_for", or_null(target.ejected_for)},
          {"check", target.check},
          {"last_check", target.last_check ? to_json(*target.last_check) : Json()},
          {"failures", std::move(failures)},
          {"kind", target.kind},
          {"why", target.why},
          {"weight", target.weight},
          {"connections", target.connections},
          {"max_connections", or_null(target.max_connections)},
          {"addresses", std::move(addresses)},
          {"addresses_age", or_null(target.addresses_age)},
          {"override", target.override ? to_json(*target.override) : Json()},
          {"identity", target.identity ? to_json(*target.identity) : Json()}};
}

Json to_json(const ServiceStatus& service) {
  Json targets = Json::array();
  for (const TargetStatus& target : service.targets) targets.push_back(to_json(target));
  return {{"service", service.name},
          {"accept", service.accept},
          {"balance", service.balance},
          {"draining", service.is_draining},
          {"connections", service.connections},
          {"max_connections", or_null(service.max_connections)},
          {"preconnected", service.preconnected},
          {"accepted", service.accepted},
          {"ended", service.ended},
          {"failed", service.failed},
          {"bytes_up", service.bytes_up},
          {"bytes_down", service.bytes_down},
          {"no_targets", service.no_targets},
          {"targets", std::move(targets)}};
}

Json to_json(const LevelStatus& level) {
  return {{"level", level.level}, {"service", level.service}, {"client", level.client},
          {"uid", level.uid},     {"pid", level.pid},         {"left", or_null(level.left)}};
}

Json to_json(const log::Problem& problem) {
  return {{"time", rfc3339(problem.time)},
          {"level", problem.level == log::Level::error ? "error" : "warning"},
          {"service", problem.service},
          {"conn", problem.conn},
          {"kind", problem.kind},
          {"text", problem.text}};
}

Json to_json(const std::optional<ReloadStatus>& reload) {
  if (!reload) return nullptr;
  return {{"time", rfc3339(reload->time)},
          {"successful", reload->is_successful},
          {"lines", reload->lines}};
}

Json to_json(const CaptureStatus& capture) {
  return {{"services", capture.services},
          {"layer", capture.layer},
          {"to", capture.to},
          {"by", capture.by},
          {"since", rfc3339(capture.since)},
          {"packets", capture.packets},
          {"dropped", capture.dropped},
          {"bytes", capture.bytes}};
}

Json to_json(const SandboxStatus& sandbox) {
  Json absent = Json::array();
  for (const SandboxStatus::Absent& each : sandbox.absent) {
    absent.push_back({{"part", each.part}, {"why", each.why}});
  }
  return {{"mode", sandbox.mode}, {"in_force", sandbox.in_force}, {"absent", std::move(absent)}};
}

template <class T>
Json list_of(const std::vector<T>& values) {
  Json list = Json::array();
  for (const T& value : values) list.push_back(to_json(value));
  return list;
}

}  // namespace

std::string rfc3339(WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  char text[32];
  // A year that does not fit.
  if (::gmtime_r(&seconds, &parts) == nullptr) return "";
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

Json to_json(const ConnectionStatus& connection) {
  return {{"service", connection.service},
          {"conn", connection.id},
          {"client", connection.client},
          {"uid", or_null(connection.uid)},
          {"target", connection.target},
          {"phase", connection.phase},
          {"age", seconds(connection.age)},
          {"idle", or_null(connection.idle)},
          {"bytes_up", connection.bytes_up},
          {"bytes_down", connection.bytes_down},
          {"tls", connection.tls}};
}

Json to_json(const Status& status) {
  // Fields may be added under the same number; programs rely on those that are here.
  Json json{{"schema", 1},
            {"version", status.version},
            {"pid", status.pid},
            {"started", rfc3339(status.started)},
            {"state", status.state},
            {"config", status.config},
            {"config_hash", status.config_hash},
            {"loaded", rfc3339(status.loaded)},
            {"log_level", status.log_level},
            {"level_overrides", list_of(status.level_overrides)},
            {"captures", list_of(status.captures)},
            {"sandbox", to_json(status.sandbox)},
            {"workers", status.workers},
            {"silent_workers", status.silent_workers},
            {"connections", status.connections},
            {"closed", list_of(status.closed)},
            {"services", list_of(status.services)},
            {"last_reload", to_json(status.last_reload)},
            {"problems", list_of(status.problems)},
            {"warnings", status.warnings}};
  if (status.connection_list) json["connection_list"] = list_of(*status.connection_list);
  return json;
}

}  // namespace tunnel::admin
