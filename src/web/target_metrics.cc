// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "web/families.h"
#include "web/metrics.h"

namespace tunnel::web {
namespace {

// Targets that have one label: the same one in several groups, or those beyond kMostTargets.
struct Labelled {
  std::string name;
  std::string_view state;
  std::uint32_t weight = 0;
  std::optional<admin::Seconds> answer_age;
  std::map<std::string_view, std::uint64_t> failures;
  admin::TargetCounts sum;
};

std::string_view state_word(const admin::TargetStatus& target) {
  if (target.state == "drained") return "draining";
  if (target.state == "down") return "down";
  if (target.state == "ejected" || target.state == "trial") return "ejected";
  return target.counts.is_unresolved ? "unresolved" : "up";
}

// Of two times, where 0 is none.
std::int64_t first_of(std::int64_t a, std::int64_t b) {
  return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b);
}

void add(Labelled& one, const admin::TargetCounts& counts) {
  one.sum.open += counts.open;
  one.sum.connections += counts.connections;
  one.sum.bytes_up += counts.bytes_up;
  one.sum.bytes_down += counts.bytes_down;
  one.sum.ejections += counts.ejections;
  one.sum.checks_passed += counts.checks_passed;
  one.sum.checks_failed += counts.checks_failed;
  for (const admin::KindCount& kind : counts.failures) one.failures[kind.kind] += kind.count;
  one.sum.not_after = first_of(one.sum.not_after, counts.not_after);
  one.sum.chain_not_after = first_of(one.sum.chain_not_after, counts.chain_not_after);
  one.sum.ocsp_until = first_of(one.sum.ocsp_until, counts.ocsp_until);
}

std::vector<Labelled> labelled(const admin::ServiceStatus& service) {
  std::vector<Labelled> all;
  std::map<std::string_view, std::size_t> places;
  std::set<std::uint64_t> seen;
  const auto add_target = [&](const admin::TargetStatus& target) {
    const bool has_room = places.size() < kMostTargets || places.contains(target.target);
    // The names in a configuration are few; SRV records and `expand` bring as many as DNS likes.
    const std::string_view name = has_room ? std::string_view(target.target) : kOther;
    const auto [place, is_new] = places.emplace(name, all.size());
    if (is_new) all.push_back({std::string(name), state_word(target), target.weight, {}, {}, {}});
    // The same target in two groups has counted once.
    if (seen.insert(target.counts.target).second) {
      Labelled& one = all[place->second];
      add(one, target.counts);
      if (target.addresses_age) {
        one.answer_age =
            std::max(one.answer_age.value_or(*target.addresses_age), *target.addresses_age);
      }
    }
  };
  for (const admin::TargetStatus& target : service.targets) add_target(target);
  // Behind those that are in force: where both have one label, it shows the state and the weight of
  // these.
  for (const admin::TargetStatus& target : service.departed) add_target(target);
  for (const auto& [text, counts] : service.past) {
    if (const auto place = places.find(text); place != places.end()) {
      add(all[place->second], counts);
    }
  }
  return all;
}

}  // namespace

void add_targets(Families& families, const std::vector<admin::ServiceStatus>& services) {
  constexpr auto kStates =
      std::to_array<std::string_view>({"up", "ejected", "down", "draining", "unresolved"});
  Family state = families.gauge("tunnel_target_state", "1 for the state that the target is in.");
  Family weight = families.gauge("tunnel_target_weight", "The target's weight in its group.");
  Family open = families.gauge("tunnel_target_connections_open", "Established connections.");
  Family connections =
      families.counter("tunnel_target_connections_total", "Connections that were established.");
  Family bytes = families.counter("tunnel_target_bytes_total",
                                  "Plaintext carried, also by connections that are open.");
  Family failures = families.counter("tunnel_target_failures_total", "Failed dials, by kind.");
  Family ejections =
      families.counter("tunnel_target_ejections_total", "How often the target was ejected.");
  Family checks = families.counter("tunnel_target_checks_total", "Active health checks.");
  Family expiry = families.gauge(
      "tunnel_certificate_not_after_timestamp_seconds",
      "When a certificate expires, since 1970: of a server, as it showed it last, or ours.");
  Family stapled = families.gauge(
      "tunnel_ocsp_next_update_timestamp_seconds",
      "Until when the OCSP response holds that the server stapled last, since 1970.");
  Family age = families.gauge("tunnel_dns_answer_age_seconds",
                              "How long ago DNS gave the addresses of the target's name.");
  for (const admin::ServiceStatus& service : services) {
    for (const Labelled& target : labelled(service)) {
      const Labels base{{"service", service.name}, {"target", target.name}};
      const auto with = [&](const char* label, std::string_view value) {
        Labels labels = base;
        labels.push_back({label, std::string(value)});
        return labels;
      };
      for (const std::string_view each : kStates) {
        state.add(with("state", each), yes(each == target.state));
      }
      weight.add(base, target.weight);
      open.add(base, number(target.sum.open));
      connections.add(base, number(target.sum.connections));
      bytes.add(with("direction", "up"), number(target.sum.bytes_up));
      bytes.add(with("direction", "down"), number(target.sum.bytes_down));
      for (const auto& [kind, count] : target.failures) {
        if (count > 0) failures.add(with("kind", kind), number(count));
      }
      ejections.add(base, number(target.sum.ejections));
      if (target.sum.checks_passed + target.sum.checks_failed > 0) {
        checks.add(with("result", "passed"), number(target.sum.checks_passed));
        checks.add(with("result", "failed"), number(target.sum.checks_failed));
      }
      const auto ends = [&](const char* role, std::int64_t end) {
        if (end != 0) expiry.add(with("role", role), static_cast<double>(end));
      };
      ends("server_leaf", target.sum.not_after);
      ends("server_chain", target.sum.chain_not_after);
      if (target.sum.ocsp_until != 0) {
        stapled.add(base, static_cast<double>(target.sum.ocsp_until));
      }
      if (target.answer_age) age.add(base, target.answer_age->count());
    }
    const auto ours = [&](const char* role, std::int64_t end) {
      if (end == 0) return;
      expiry.add({{"service", service.name}, {"role", role}}, static_cast<double>(end));
    };
    ours("client", service.counts.client_not_after);
    ours("ca", service.counts.ca_not_after);
  }
}

}  // namespace tunnel::web
