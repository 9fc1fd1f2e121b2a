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

constexpr auto kStates =
    std::to_array<std::string_view>({"up", "ejected", "down", "draining", "unresolved"});

// The families that have a line for each target, and what a target and a service add to them.
class TargetFamilies {
 public:
  explicit TargetFamilies(Families& families) : families_(families) {}

  void add(const std::string& service, const Labelled& target);
  void add_own_certificates(const admin::ServiceStatus& service);

 private:
  void add_checks(const Labels& base, const admin::TargetCounts& sum);
  void add_ends(const Labels& base, const admin::TargetCounts& sum);
  void add_end(const Labels& base, const char* role, std::int64_t end);

  Families& families_;
  Family state_ = families_.gauge("tunnel_target_state", "1 for the state that the target is in.");
  Family weight_ = families_.gauge("tunnel_target_weight", "The target's weight in its group.");
  Family open_ = families_.gauge("tunnel_target_connections_open", "Established connections.");
  Family connections_ =
      families_.counter("tunnel_target_connections_total", "Connections that were established.");
  Family bytes_ = families_.counter("tunnel_target_bytes_total",
                                    "Plaintext carried, also by connections that are open.");
  Family failures_ = families_.counter("tunnel_target_failures_total", "Failed dials, by kind.");
  Family ejections_ =
      families_.counter("tunnel_target_ejections_total", "How often the target was ejected.");
  Family checks_ = families_.counter("tunnel_target_checks_total", "Active health checks.");
  Family expiry_ = families_.gauge(
      "tunnel_certificate_not_after_timestamp_seconds",
      "When a certificate expires, since 1970: of a server, as it showed it last, or ours.");
  Family stapled_ = families_.gauge(
      "tunnel_ocsp_next_update_timestamp_seconds",
      "Until when the OCSP response holds that the server stapled last, since 1970.");
  Family age_ = families_.gauge("tunnel_dns_answer_age_seconds",
                                "How long ago DNS gave the addresses of the target's name.");
};

Labels with(Labels base, const char* label, std::string_view value) {
  base.push_back({label, std::string(value)});
  return base;
}

void TargetFamilies::add(const std::string& service, const Labelled& target) {
  const Labels base{{"service", service}, {"target", target.name}};
  for (const std::string_view each : kStates) {
    state_.add(with(base, "state", each), yes(each == target.state));
  }
  weight_.add(base, target.weight);
  open_.add(base, number(target.sum.open));
  connections_.add(base, number(target.sum.connections));
  bytes_.add(with(base, "direction", "up"), number(target.sum.bytes_up));
  bytes_.add(with(base, "direction", "down"), number(target.sum.bytes_down));
  for (const auto& [kind, count] : target.failures) {
    if (count > 0) failures_.add(with(base, "kind", kind), number(count));
  }
  ejections_.add(base, number(target.sum.ejections));
  add_checks(base, target.sum);
  add_ends(base, target.sum);
  if (target.answer_age) age_.add(base, target.answer_age->count());
}

// A target that is never checked has no counter of checks, rather than one that stays at 0.
void TargetFamilies::add_checks(const Labels& base, const admin::TargetCounts& sum) {
  if (sum.checks_passed + sum.checks_failed == 0) return;
  checks_.add(with(base, "result", "passed"), number(sum.checks_passed));
  checks_.add(with(base, "result", "failed"), number(sum.checks_failed));
}

void TargetFamilies::add_ends(const Labels& base, const admin::TargetCounts& sum) {
  add_end(base, "server_leaf", sum.not_after);
  add_end(base, "server_chain", sum.chain_not_after);
  if (sum.ocsp_until != 0) stapled_.add(base, static_cast<double>(sum.ocsp_until));
}

void TargetFamilies::add_own_certificates(const admin::ServiceStatus& service) {
  const Labels base{{"service", service.name}};
  add_end(base, "client", service.counts.client_not_after);
  add_end(base, "ca", service.counts.ca_not_after);
}

// 0 is a certificate that nobody has seen: an alert on 1970 would fire for it.
void TargetFamilies::add_end(const Labels& base, const char* role, std::int64_t end) {
  if (end != 0) expiry_.add(with(base, "role", role), static_cast<double>(end));
}

}  // namespace

void add_targets(Families& families, const std::vector<admin::ServiceStatus>& services) {
  TargetFamilies all(families);
  for (const admin::ServiceStatus& service : services) {
    for (const Labelled& target : labelled(service)) all.add(service.name, target);
    all.add_own_certificates(service);
  }
}

}  // namespace tunnel::web
