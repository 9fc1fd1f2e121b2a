// SPDX-License-Identifier: MIT
#include "probe/json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "x509/x509_text.h"

namespace tunnel::probe {
namespace {

// Fields in the order in which they are written here: people read this, too.
using Json = nlohmann::ordered_json;

constexpr int kSchema = 1;

// Microseconds are exact enough.
Json seconds(const std::optional<Seconds>& duration) {
  return duration ? Json(std::round(duration->count() * 1e6) / 1e6) : Json();
}

Json time(std::time_t when) { return when > 0 ? Json(x509::timestamp(when)) : Json(); }

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json to_json(const Times& times) {
  Json json = Json::object();
  for (const Step step : {Step::dns, Step::tcp, Step::preamble, Step::tls, Step::check}) {
    json[std::string(word(step))] = seconds(times[step]);
  }
  json["total"] = seconds(times.total);
  return json;
}

// Smallest, mean and largest of each step, of the rounds that reached it.
Json summary(const std::vector<Round>& rounds) {
  Json json = Json::object();
  const auto add = [&](const std::string& name, auto part) {
    std::vector<double> values;
    for (const Round& round : rounds) {
      if (const std::optional<Seconds>& took = part(round.times)) values.push_back(took->count());
    }
    // Null and not left out: programs find every field that the schema has.
    if (values.empty()) return void(json[name] = Json());
    double sum = 0;
    for (const double value : values) sum += value;
    json[name] = {{"min", seconds(Seconds(*std::ranges::min_element(values)))},
                  {"mean", seconds(Seconds(sum / static_cast<double>(values.size())))},
                  {"max", seconds(Seconds(*std::ranges::max_element(values)))}};
  };
  for (const Step step : {Step::dns, Step::tcp, Step::preamble, Step::tls, Step::check}) {
    add(std::string(word(step)), [step](const Times& times) { return times[step]; });
  }
  add("total", [](const Times& times) { return times.total; });
  return json;
}

Json to_json(const x509::CertificateFacts& certificate, std::time_t now) {
  return {{"subject", certificate.subject},
          {"issuer", certificate.issuer},
          {"names", certificate.names},
          {"key", certificate.key},
          {"not_before", time(certificate.not_before)},
          {"not_after", time(certificate.not_after)},
          {"days_left",
           certificate.not_after < 0 ? Json() : Json(days_left(certificate.not_after, now))},
          {"pin", "sha256:" + certificate.spki}};
}

Json to_json(const x509::Examination& examined, std::time_t now) {
  Json path = Json::array();
  for (const auto& certificate : examined.path) path.push_back(to_json(certificate, now));
  Json unused = Json::array();
  for (std::size_t i = 0; i < examined.shown.size(); ++i) {
    if (!examined.is_used[i]) unused.push_back(examined.shown[i].subject);
  }
  return {{"trusted", examined.is_trusted},
          {"anchor", or_null(examined.anchor)},
          {"chain", std::move(path)},
          {"unused", std::move(unused)},
          {"out_of_order", examined.is_out_of_order},
          {"missing", or_null(examined.missing_issuer)},
          {"pin", examined.shown.empty() ? Json() : Json("sha256:" + examined.shown.front().spki)}};
}

Json to_json(const Problem& problem) {
  return {{"phase", word(problem.step)},
          {"kind", word(problem.kind)},
          {"text", problem.text},
          {"fix", problem.fix},
          {"local", problem.is_local}};
}

Json tls_of(const AddressReport& address) {
  if (!address.speaks_tls) return {};
  return {{"version", address.version},        {"cipher", address.cipher},
          {"group", or_null(address.group)},   {"alpn", or_null(address.alpn)},
          {"resumable", address.is_resumable}, {"ocsp_until", time(address.ocsp_until)}};
}

Json rounds_of(const AddressReport& address) {
  if (address.rounds.size() < 2) return {};
  const auto ok = std::ranges::count_if(address.rounds, &Round::is_ok);
  return {{"count", address.rounds.size()},
          {"ok", ok},
          {"second_resumed", address.rounds[1].is_resumed},
          {"times", summary(address.rounds)}};
}

Json to_json(const AddressReport& address, std::time_t now) {
  Json problems = Json::array();
  for (const Problem& problem : address.problems) problems.push_back(to_json(problem));
  return {{"address", or_null(address.address)},
          {"ok", address.is_usable()},
          {"times", to_json(address.times)},
          {"tls", tls_of(address)},
          {"certificate", address.certificates ? to_json(*address.certificates, now) : Json()},
          {"client_certificate",
           {{"requested", address.is_client_certificate_requested},
            {"authorities", address.authorities}}},
          {"accepted_versions", address.accepted_versions},
          {"problems", std::move(problems)},
          {"repeat", rounds_of(address)}};
}

Json to_json(const TargetReport& target, std::time_t now) {
  Json addresses = Json::array();
  for (const AddressReport& address : target.addresses) addresses.push_back(to_json(address, now));
  return {{"target", target.target},
          {"group", target.group},
          {"ok", target.is_usable()},
          {"addresses", std::move(addresses)}};
}

Json ending(const std::optional<Ending>& earliest, std::time_t now) {
  if (!earliest) return {};
  return {{"not_after", time(earliest->not_after)},
          {"days_left", days_left(earliest->not_after, now)},
          {"certificate", earliest->whose}};
}

}  // namespace

std::string to_json(const Report& report) {
  Json services = Json::array();
  for (const ServiceReport& service : report.services) {
    Json targets = Json::array();
    for (const TargetReport& target : service.targets) {
      targets.push_back(to_json(target, report.now));
    }
    services.push_back({{"service", service.name},
                        {"earliest_end", ending(earliest_ending(service), report.now)},
                        {"targets", std::move(targets)}});
  }
  const Json json = {{"schema", kSchema},
                     {"time", time(report.now)},
                     {"ok", report.is_usable()},
                     {"earliest_end", ending(earliest_ending(report), report.now)},
                     {"services", std::move(services)}};
  // Certificates and greetings are written by others, and need not be UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tunnel::probe
