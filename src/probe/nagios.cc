// SPDX-License-Identifier: MIT
#include "probe/nagios.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>

#include "base/address.h"
#include "base/text.h"

namespace tunnel::probe {
namespace {

// The numbers rise with what is wrong, so the worst of several services is the largest. UNKNOWN is
// apart: it never comes of a report.
constexpr int kOk = 0;
constexpr int kWarning = 1;
constexpr int kCritical = 2;
constexpr int kUnknown = 3;

constexpr const char* kWords[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

// A pipe would begin the performance data, and quotes end a label.
std::string without(std::string text, std::string_view forbidden) {
  std::replace_if(
      text.begin(), text.end(), [&](char c) { return forbidden.find(c) != std::string_view::npos; },
      '_');
  return text;
}

std::string plain(const std::string& text) { return without(printable(text, 1000), "|\n"); }
std::string label(const std::string& text) { return "'" + without(text, "'=|\n ") + "'"; }

// An address that fails for a reason of this side (no route for a family) while the target has
// another one is nothing that its operators could mend.
bool has_trouble(const TargetReport& target) {
  return std::ranges::any_of(target.addresses, [](const AddressReport& address) {
    return std::ranges::any_of(address.problems,
                               [](const Problem& problem) { return !problem.is_local; });
  });
}

int status_of(const ServiceReport& service, const DayLimits& limits, std::time_t now) {
  const auto usable = std::ranges::count_if(service.targets, &TargetReport::is_usable);
  if (usable == 0) return kCritical;
  const bool is_hurt = static_cast<std::size_t>(usable) < service.targets.size() ||
                       std::ranges::any_of(service.targets, has_trouble);
  int status = is_hurt ? kWarning : kOk;
  if (const auto ending = earliest_ending(service)) {
    const long days = days_left(ending->not_after, now);
    if (days < limits.critical) status = kCritical;
    if (days < limits.warning) status = std::max(status, kWarning);
  }
  return status;
}

std::string summary(const ServiceReport& service, std::time_t now) {
  const auto usable = std::ranges::count_if(service.targets, &TargetReport::is_usable);
  std::string text = service.name + ": " + std::to_string(usable) + "/" +
                     std::to_string(service.targets.size()) + " targets";
  if (const auto ending = earliest_ending(service)) {
    text += ", " + std::to_string(days_left(ending->not_after, now)) + " days";
  }
  return text;
}

// The shortest names by which targets can be told apart: "dc1" of "dc1.example.com".
std::map<const TargetReport*, std::string> labels(const Report& report) {
  const auto first_label = [](const TargetReport& target) {
    const bool is_ip = SocketAddress::parse_ip(target.host, 0).has_value();
    return is_ip ? target.host : target.host.substr(0, target.host.find('.'));
  };
  std::map<std::string, int> short_count, host_count, text_count;
  for (const ServiceReport& service : report.services) {
    for (const TargetReport& target : service.targets) {
      ++short_count[first_label(target)];
      ++host_count[target.host];
      ++text_count[target.target];
    }
  }
  std::map<const TargetReport*, std::string> names;
  for (const ServiceReport& service : report.services) {
    std::map<std::string, int> seen;  // the same target may stand in several groups
    for (const TargetReport& target : service.targets) {
      std::string name = service.name + "_" + target.target;
      if (text_count[target.target] == 1) name = target.target;
      if (host_count[target.host] == 1) name = target.host;
      if (short_count[first_label(target)] == 1) name = first_label(target);
      if (const int before = seen[name]++; before > 0) name += "_" + std::to_string(before + 1);
      names[&target] = name;
    }
  }
  return names;
}

std::string performance(const Report& report, const DayLimits& limits) {
  std::string text;
  for (const ServiceReport& service : report.services) {
    if (const auto ending = earliest_ending(service)) {
      text += " " + label(service.name + "_days") + "=" +
              std::to_string(days_left(ending->not_after, report.now)) + ";" +
              // A bare "30" is the range from 0 to 30, outside of which is an alert: "30:" is from
              // 30 up.
              std::to_string(limits.warning) + ":;" + std::to_string(limits.critical) + ":;0;";
    }
  }
  const auto names = labels(report);
  for (const ServiceReport& service : report.services) {
    for (const TargetReport& target : service.targets) {
      std::optional<Seconds> slowest;
      for (const AddressReport& address : target.addresses) {
        const auto& took = address.times[Step::tls];
        // The slowest address: a graph of the mean would hide the one that is in trouble.
        if (address.is_usable() && took && (!slowest || *slowest < *took)) slowest = took;
      }
      if (!slowest) continue;
      char number[32];
      (void)std::snprintf(number, sizeof number, "%.4f", slowest->count());
      text += " " + label(names.at(&target) + "_tls") + "=" + number + "s;;;0";
    }
  }
  return text.empty() ? text : text.substr(1);
}

std::string details(const Report& report) {
  std::string text;
  for (const ServiceReport& service : report.services) {
    for (const TargetReport& target : service.targets) {
      for (const AddressReport& address : target.addresses) {
        for (const Problem& problem : address.problems) {
          text +=
              plain(service.name + ": " + std::string(word(problem.kind)) + ": " + problem.text) +
              "\n";
        }
      }
    }
  }
  return text;
}

}  // namespace

PluginResult to_nagios(const Report& report, const DayLimits& limits) {
  PluginResult result;
  std::string summaries;
  for (const ServiceReport& service : report.services) {
    result.status = std::max(result.status, status_of(service, limits, report.now));
    summaries += (summaries.empty() ? "" : "; ") + summary(service, report.now);
  }
  const std::string data = performance(report, limits);
  result.text = "TUNNEL " + std::string(kWords[result.status]) + " - " + plain(summaries) +
                (data.empty() ? "" : "|" + data) + "\n" + details(report);
  return result;
}

PluginResult nagios_unknown(const std::string& why) {
  return {kUnknown, "TUNNEL UNKNOWN - " + plain(why) + "\n"};
}

}  // namespace tunnel::probe
