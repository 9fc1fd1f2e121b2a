// SPDX-License-Identifier: MIT
#include "config/changes.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/text.h"
#include "config/schema.h"

namespace tunnel::config {
namespace {

using Phrases = std::vector<std::string>;

// Two targets with the same address and name are the same target, whatever else is said of them:
// health, counters and overrides stay with it.
struct Placed {
  const Target* target;
  std::size_t group;
};

bool is_same(const Target& a, const Target& b) { return a.text == b.text && a.name == b.name; }

std::vector<Placed> placed(const TargetGroups& groups) {
  std::vector<Placed> all;
  for (std::size_t group = 0; group < groups.size(); ++group) {
    for (const Target& target : groups[group]) all.push_back({&target, group});
  }
  return all;
}

// The same target may be named twice: each entry has one partner.
std::optional<Placed> take_partner(std::vector<Placed>& from, const Target& target) {
  const auto found = std::find_if(from.begin(), from.end(), [&](const Placed& candidate) {
    return is_same(*candidate.target, target);
  });
  if (found == from.end()) return std::nullopt;
  const Placed partner = *found;
  from.erase(found);
  return partner;
}

std::string named(const Target& target) { return "target " + printable(target.text); }

void compare(const Placed& before, const Placed& after, Phrases& phrases) {
  const Target& now = *after.target;
  if (before.target->weight != now.weight) {
    phrases.push_back(named(now) + " has weight " + std::to_string(now.weight) + " instead of " +
                      std::to_string(before.target->weight));
  }
  if (before.target->max_connections != now.max_connections) {
    phrases.push_back(named(now) + " max_connections changed");
  }
  if (before.target->expand != now.expand) phrases.push_back(named(now) + " expand changed");
  if (before.group != after.group) {
    phrases.push_back(named(now) + " moved from group " + std::to_string(before.group + 1) +
                      " to group " + std::to_string(after.group + 1));
  }
}

void compare_targets(const TargetGroups& before, const TargetGroups& after, Phrases& phrases) {
  if (before == after) return;
  const std::size_t said = phrases.size();
  std::vector<Placed> left = placed(before);
  for (const Placed& target : placed(after)) {
    if (const auto partner = take_partner(left, *target.target)) {
      compare(*partner, target, phrases);
    } else {
      phrases.push_back(named(*target.target) + " added");
    }
  }
  for (const Placed& target : left) phrases.push_back(named(*target.target) + " removed");
  if (phrases.size() == said) phrases.emplace_back("order of targets changed");
}

const Printed* child(const Printed& table, const std::string& key) {
  for (const auto& [name, printed] : table.children) {
    if (name == key) return &printed;
  }
  return nullptr;
}

// The keys of one table and of those below it, by their full names.
void compare_tables(const Printed& before, const Printed& after, const std::string& prefix,
                    Phrases& keys);

void compare_key(const Printed* before, const Printed* after, const std::string& key,
                 Phrases& keys) {
  if (before != nullptr && after != nullptr && *before == *after) return;
  // Where one of the two is a value, such as tls = false, the key itself has changed.
  const bool is_table =
      (before == nullptr || before->is_table) && (after == nullptr || after->is_table);
  if (!is_table) return keys.push_back(key);
  const Printed none = Printed::table();
  return compare_tables(before != nullptr ? *before : none, after != nullptr ? *after : none,
                        key + ".", keys);
}

void compare_tables(const Printed& before, const Printed& after, const std::string& prefix,
                    Phrases& keys) {
  for (const auto& [key, printed] : after.children) {
    compare_key(child(before, key), &printed, prefix + key, keys);
  }
  for (const auto& [key, printed] : before.children) {
    if (child(after, key) == nullptr) compare_key(&printed, nullptr, prefix + key, keys);
  }
}

// Within its service's line "ca" says as much as "tls.ca".
std::string short_name(const std::string& key) {
  constexpr std::string_view kTls = "tls.";
  return key.starts_with(kTls) ? key.substr(kTls.size()) : key;
}

// Over what the option table prints, so that a new key is compared without a line here, and so that
// nothing but its name is said: a value may be a secret. Targets are compared one by one, because
// health and counters follow each of them.
ServiceChange compare(const Service& before, const Service& after) {
  ServiceChange change{after.name, ServiceChange::What::unchanged, {}};
  if (before == after) return change;
  compare_targets(before.connect, after.connect, change.phrases);
  Phrases keys;
  compare_tables(print_rows(before), print_rows(after), "", keys);
  for (const std::string& key : keys) {
    if (key != "connect") change.phrases.push_back(short_name(key) + " changed");
  }
  // What the option table does not print is the spelling of an equal value.
  if (!change.phrases.empty()) change.what = ServiceChange::What::changed;
  return change;
}

// With a thousand services, to look for each among all others took most of a reload.
using ByName = std::unordered_map<std::string_view, const Service*>;

ByName by_name(const Config& config) {
  ByName services;
  for (const Service& service : config.services) services.emplace(service.name, &service);
  return services;
}

}  // namespace

std::vector<ServiceChange> changes(const Config& before, const Config& after) {
  std::vector<ServiceChange> all;
  const ByName old_services = by_name(before);
  const ByName new_services = by_name(after);
  for (const Service& service : after.services) {
    const auto old = old_services.find(service.name);
    all.push_back(old != old_services.end()
                      ? compare(*old->second, service)
                      : ServiceChange{service.name, ServiceChange::What::added, {}});
  }
  for (const Service& service : before.services) {
    if (!new_services.contains(service.name)) {
      all.push_back({service.name, ServiceChange::What::removed, {}});
    }
  }
  return all;
}

std::vector<std::string> changed_keys(const Global& before, const Global& after) {
  std::vector<std::string> keys;
  compare_tables(print_rows(before), print_rows(after), "", keys);
  std::vector<std::string> sorted;
  // compare_tables() has keys that went back to their default at the end.
  for (const Row<Global>& row : rows<Global>()) {
    if (std::find(keys.begin(), keys.end(), row.key) != keys.end()) sorted.emplace_back(row.key);
  }
  return sorted;
}

std::vector<std::string> keys_for_restart(const Global& before, const Global& after) {
  // What a process does once, at its start: it forks, opens files, starts its threads, gives up
  // privileges, enters the sandbox.
  constexpr auto kFixed = std::to_array<std::string_view>(
      {"foreground", "pid_file", "workers", "user", "group", "control", "sandbox"});
  std::vector<std::string> keys = changed_keys(before, after);
  std::erase_if(keys, [&](const std::string& key) {
    return std::find(kFixed.begin(), kFixed.end(), key) == kFixed.end();
  });
  return keys;
}

}  // namespace tunnel::config
