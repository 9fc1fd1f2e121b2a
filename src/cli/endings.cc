// SPDX-License-Identifier: MIT
#include "cli/endings.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "keys/client_certificate.h"
#include "probe/report.h"
#include "x509/local_endings.h"
#include "x509/x509_text.h"

namespace tunnel::cli {
namespace {

constexpr long kDaysAhead = 30;
// Of one key: a whole trust store is no news.
constexpr std::size_t kMostShown = 10;

struct Ending {
  std::string service;
  x509::LocalEnding what;  // with the whole key: "tls.ca"

  [[nodiscard]] std::string name() const {
    std::string text = what.key + " (" + what.origin + ")";
    if (!what.subject.empty()) text += ", " + what.subject + ",";
    return text;
  }
};

std::time_t parsed(const std::string& timestamp) {
  std::tm parts{};
  if (::strptime(timestamp.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts) == nullptr) return 0;
  return ::timegm(&parts);
}

// A token is asked again only because it has just given the same: a wrong PIN is not tried twice.
// Loaded as for a start, because it may be in a token or in a PKCS#12 file.
void add_client_certificate(std::vector<x509::LocalEnding>& list, const config::Tls& tls) {
  if (tls.cert.empty()) return;
  keys::WrongPins wrong_pins;
  x509::Problems problems;
  const auto certificate = keys::ClientCertificate::load(tls, wrong_pins, problems);
  if (!certificate) return;
  list.push_back({.key = "cert",
                  .index = -1,
                  .origin = certificate->description(),
                  .subject = {},
                  .end = parsed(certificate->not_after())});
}

void add_table(std::vector<Ending>& list, const std::string& service, const std::string& table,
               const config::Tls& tls) {
  auto found = x509::local_endings(tls);
  add_client_certificate(found, tls);
  for (auto& each : found) {
    each.key = table + "." + each.key;
    list.push_back({service, std::move(each)});
  }
}

void warn(config::Document& document, const Ending& ending, long days) {
  const std::string when = x509::date_text(ending.what.end);
  document.warning(
      ending.service, ending.what.key, ending.what.index,
      ending.name() + (days < 0 ? " ended on " + when
                                : " ends in " + std::to_string(days) + " days, on " + when));
}

}  // namespace

std::string endings(config::Document& document, std::time_t now) {
  std::vector<Ending> all;
  for (const config::Service& service : document.config.services) {
    if (service.tls) add_table(all, service.name, "tls", *service.tls);
    if (service.health.tls) add_table(all, service.name, "health.tls", *service.health.tls);
  }
  // Before anything is left out below, so that it is what ends last.
  std::ranges::stable_sort(all, {}, [](const Ending& ending) { return ending.what.end; });
  std::string text;
  std::set<std::string> told;  // services may share their files
  std::map<std::string, std::size_t> shown;
  std::size_t more = 0;
  for (const Ending& ending : all) {
    const long days = probe::days_left(ending.what.end, now);
    if (!told.insert(ending.name()).second) continue;
    if (days < kDaysAhead) warn(document, ending, days);
    if (++shown[ending.service + ending.what.key] > kMostShown) {
      ++more;
      continue;
    }
    text += "  " + x509::timestamp(ending.what.end).substr(0, 10) + "  " + std::to_string(days) +
            " days  " + ending.what.key + ": " + ending.what.origin +
            (ending.what.subject.empty() ? "" : ", " + ending.what.subject) + "\n";
  }
  if (more > 0) text += "  and " + std::to_string(more) + " more, which end later\n";
  return text.empty() ? "" : "\nends of local certificates and lists\n" + text;
}

}  // namespace tunnel::cli
