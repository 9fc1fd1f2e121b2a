// SPDX-License-Identifier: MIT
#include "cli/summary.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace tunnel::cli {
namespace {

using config::Accept;
using config::Balance;
using config::Check;
using config::Service;
using config::Target;
using config::Tls;
using config::Verify;

std::string joined(const std::vector<std::string>& parts, std::string_view separator = ", ") {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += separator;
    text += part;
  }
  return text;
}

std::string version_word(config::TlsVersion version) {
  switch (version) {
    case config::TlsVersion::tls1_0:
      return "1.0";
    case config::TlsVersion::tls1_1:
      return "1.1";
    case config::TlsVersion::tls1_2:
      return "1.2";
    case config::TlsVersion::tls1_3:
      return "1.3";
  }
  return "";
}

std::string accept_words(const Service& service) {
  std::vector<std::string> places;
  for (const Accept& accept : service.accept) {
    const bool is_free = accept.form == Accept::Form::tcp && accept.address.port() == 0;
    places.push_back(is_free ? accept.address.ip() + " (a free port)" : accept.address.to_string());
  }
  std::string text = "accepts plaintext at " + joined(places);
  if (!service.allow.empty()) {
    std::vector<std::string> ranges;
    for (const Cidr& range : service.allow) ranges.push_back(range.to_string());
    text += ", from " + joined(ranges) + " only";
  }
  return text;
}

std::string tls_words(const Tls& tls) {
  std::string text = "speaks TLS";
  if (tls.priority.empty()) {
    const std::string low = version_word(tls.min_version);
    const std::string high = version_word(tls.max_version);
    text += " " + (low == high ? low + " only" : low + " to " + high);
  } else {
    text += " by the priority string " + tls.priority;
  }
  const std::string authorities = tls.ca.empty() ? "the system's trust store" : joined(tls.ca);
  const std::string pins =
      tls.pin.empty() ? "" : ", and one of " + std::to_string(tls.pin.size()) + " pinned keys";
  switch (tls.verify) {
    case Verify::full:
      return text + "; the server's certificate must be trusted by " + authorities + ", for " +
             (tls.name.empty() ? "the host of the target" : joined(tls.name, " or ")) + pins;
    case Verify::chain:
      return text + "; the server's certificate must be trusted by " + authorities +
             ", whatever its name" + pins;
    case Verify::pin:
      return text + "; the server's key must be one of " + std::to_string(tls.pin.size()) +
             " pinned keys";
    case Verify::none:
      return text + "; the server's certificate is NOT checked";
  }
  return text;
}

std::string target_words(const Target& target) {
  std::vector<std::string> remarks;
  if (target.form == Target::Form::srv) {
    remarks.emplace_back("groups and weights from DNS; targets outside its domain need tls.name");
  }
  if (target.expand) remarks.emplace_back("each address a target");
  if (target.weight == 0) remarks.emplace_back("drained");
  if (target.weight > 1) remarks.push_back("weight " + std::to_string(target.weight));
  if (target.max_connections) {
    remarks.push_back("at most " + std::to_string(*target.max_connections) + " connections");
  }
  if (!target.name.empty()) remarks.push_back("as " + target.name);
  return remarks.empty() ? target.text : target.text + " (" + joined(remarks) + ")";
}

std::string_view rule_words(Balance balance) {
  switch (balance) {
    case Balance::round_robin:
      return "its targets take turns (round-robin)";
    case Balance::least_connections:
      return "the target with the fewest connections takes the next (least-connections)";
    case Balance::random:
      return "the less busy of two targets picked at random takes the next (random)";
    case Balance::hash:
      return "each client address keeps its target (hash)";
    case Balance::first:
      return "the first target that works takes them all (first)";
  }
  return "";
}

std::string group_words(const std::vector<Target>& group) {
  std::vector<std::string> targets;
  for (const Target& target : group) targets.push_back(target_words(target));
  return joined(targets);
}

std::string connect_words(const Service& service) {
  if (service.connect.size() == 1 && service.connect[0].size() == 1) {
    const Target& only = service.connect[0][0];
    std::string text = "connects to " + target_words(only);
    if (only.form == Target::Form::srv || only.expand) {
      text += "; " + std::string(rule_words(service.balance)) + "\n";
    } else {
      text += only.form == Target::Form::name ? ", trying all its addresses\n" : "\n";
    }
    return text;
  }
  if (service.connect.size() == 1) {
    return "connects to " + group_words(service.connect[0]) + "; " +
           std::string(rule_words(service.balance)) + "\n";
  }
  std::string text = "connects to the first group that can serve; in a group, " +
                     std::string(rule_words(service.balance)) + "\n";
  for (std::size_t i = 0; i < service.connect.size(); ++i) {
    text += "    " + std::to_string(i + 1) + ". " + group_words(service.connect[i]) + "\n";
  }
  return text;
}

std::string_view check_word(Check check) {
  switch (check) {
    case Check::tcp:
      return "a TCP connection";
    case Check::tls:
      return "a TLS handshake";
    case Check::ldap:
      return "an LDAP bind";
    case Check::smtp:
      return "an SMTP greeting";
    case Check::imap:
      return "an IMAP greeting";
    case Check::pop3:
      return "a POP3 greeting";
    case Check::pgsql:
      return "a PostgreSQL greeting";
    case Check::mysql:
      return "a MySQL greeting";
    case Check::redis:
      return "a Redis greeting";
    case Check::none:
      break;
  }
  return "";
}

std::string health_words(const config::Health& health) {
  if (health.check == Check::none) return "";
  return "  checks every target every " + format_duration(health.interval) + " with " +
         std::string(check_word(health.check)) + ": out after " + std::to_string(health.fall) +
         " failures, back after " + std::to_string(health.rise) + " successes\n";
}

}  // namespace

std::string summary(const config::Config& config) {
  const std::size_t count = config.services.size();
  std::string text = printable(config.path, 4096) + ": " + std::to_string(count) +
                     (count == 1 ? " service" : " services") + ", no errors\n";
  for (const Service& service : config.services) {
    text += "\n[" + service.name + "]\n";
    text += "  " + accept_words(service) + "\n";
    text += "  " + connect_words(service);
    text += "  " + (service.tls ? tls_words(*service.tls) : "relays plain TCP, without TLS") + "\n";
    text += health_words(service.health);
  }
  return text;
}

}  // namespace tunnel::cli
