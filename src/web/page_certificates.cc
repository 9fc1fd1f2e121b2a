// SPDX-License-Identifier: MIT
// The page's tables of certificates: when they end, and whose they are.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "admin/status_json.h"
#include "web/page_parts.h"

namespace tunnel::web {
namespace {

// Sooner than that somebody should look at it.
constexpr std::int64_t kSoon = 30;
// Services share their servers and their files; the first to end are of interest.
constexpr std::size_t kMostShown = 100;

struct Ending {
  std::string_view service;
  std::string_view target;  // empty: it is of the service
  std::string_view what;
  std::int64_t at;  // in seconds since 1970
};

std::vector<Ending> endings(const admin::Status& status) {
  std::vector<Ending> all;
  for (const admin::ServiceStatus& service : status.services) {
    const auto add = [&](std::string_view target, std::string_view what, std::int64_t at) {
      if (at != 0) all.push_back({service.name, target, what, at});
    };
    add("", "client certificate", service.counts.client_not_after);
    add("", "tls.ca, the first to end", service.counts.ca_not_after);
    add("", "revocation lists", service.counts.crl_next_update);
    for (const admin::TargetStatus& target : service.targets) {
      const admin::TargetCounts& counts = target.counts;
      add(target.target, "server certificate", counts.not_after);
      // As a rule it is the server's own certificate that ends first.
      if (counts.chain_not_after != counts.not_after) {
        add(target.target, "its chain, the first to end", counts.chain_not_after);
      }
      add(target.target, "stapled OCSP response", counts.ocsp_until);
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Ending& a, const Ending& b) { return a.at < b.at; });
  return all;
}

// From the issuer to the anchor; the server's own stands in front.
std::string verification_of(const balance::Identity& identity) {
  if (identity.path.empty()) return "not verified by a chain";
  if (identity.path.size() == 1) return "verified with itself";
  std::string text = "verified with ";
  for (std::size_t i = 1; i < identity.path.size(); ++i) {
    text += (i > 1 ? " < " : "") + identity.path[i];
  }
  return text;
}

// Who the servers are: what a person compares with what should be there, or pins.
void add_identities(const admin::Status& status, Html& html) {
  std::size_t known = 0;
  for (const admin::ServiceStatus& service : status.services) {
    for (const admin::TargetStatus& target : service.targets) {
      if (!target.identity || target.identity->pin.empty() || ++known > kMostShown) continue;
      if (known == 1) html.add("<dl>");
      const balance::Identity& identity = *target.identity;
      html.add("<dt>").text(service.name + ": " + target.target).add("</dt><dd>");
      html.text(identity.subject).add(", issued by ").text(identity.issuer);
      html.add(", ").text(verification_of(identity)).add("; <code>tls.pin = &quot;");
      html.text(identity.pin).add("&quot;</code></dd>");
    }
  }
  if (known > 0) html.add("</dl>");
  if (known > kMostShown) {
    html.add("<p>and ").number(known - kMostShown).add(" more, in status.json</p>");
  }
}

}  // namespace

std::string time_left(std::int64_t seconds) {
  if (seconds < 0) return "ended";
  constexpr std::int64_t kHour = 3600;
  return seconds < 72 * kHour ? std::to_string(seconds / kHour) + " h"
                              : std::to_string(seconds / (24 * kHour)) + " d";
}

void add_certificates(const admin::Status& status, Html& html) {
  const std::vector<Ending> all = endings(status);
  html.add("<h2 id=certificates>Certificates</h2>");
  if (all.empty()) {
    html.add("<p>None is known yet: servers show theirs to the first connection or check.</p>");
    return;
  }
  html.add(
      "<div class=scroll><table><thead><tr><th>Service</th><th>Target</th><th>What</th>"
      "<th>Ends</th><th class=n>Left</th></tr></thead><tbody>");
  const std::int64_t now = std::chrono::system_clock::to_time_t(status.now);
  for (std::size_t i = 0; i < std::min(all.size(), kMostShown); ++i) {
    const Ending& ending = all[i];
    const std::int64_t rest = ending.at - now;
    // A stapled response is made anew every few days.
    const bool is_late =
        rest < 0 || (rest < kSoon * 86'400 && ending.what.find("OCSP") == std::string_view::npos);
    html.add("<tr>").cell(ending.service).cell(ending.target).cell(ending.what);
    html.cell(admin::rfc3339(std::chrono::system_clock::from_time_t(ending.at)));
    html.add(is_late ? "<td class=\"n bad\">! " : "<td class=n>").text(time_left(rest));
    html.add("</td></tr>");
  }
  html.add("</tbody></table></div>");
  if (all.size() > kMostShown) {
    html.add("<p>and ").number(all.size() - kMostShown).add(" more, which end later</p>");
  }
  return add_identities(status, html);
}

}  // namespace tunnel::web
