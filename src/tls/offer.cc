// SPDX-License-Identifier: MIT
#include "tls/offer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "keys/psk.h"
#include "tls/attempts.h"
#include "tls/min_strength.h"
#include "tls/suites.h"

namespace tunnel::tls {
namespace {

using config::TlsVersion;

const char* name_of(TlsVersion version) {
  for (const auto& entry : kVersions) {
    if (entry.config == version) return entry.name;
  }
  return "?";
}

struct Meaning {
  std::string_view typed, meant;
};
constexpr Meaning kGroupAliases[] = {
    {"P-256", "secp256r1"}, {"prime256v1", "secp256r1"}, {"P-384", "secp384r1"},
    {"P-521", "secp521r1"}, {"curve25519", "x25519"},
};

std::string joined(const std::vector<std::string_view>& names) {
  std::string list;
  for (const auto name : names) list += (list.empty() ? "" : ", ") + std::string(name);
  return list;
}

// What a name that nobody knows was probably meant to be; "" for no idea.
std::string_view guess(std::string_view typed, const std::vector<std::string_view>& known) {
  for (const auto& alias : kGroupAliases) {
    if (equal_ignoring_case(alias.typed, typed) &&
        std::ranges::find(known, alias.meant) != known.end()) {
      return alias.meant;
    }
  }
  return did_you_mean(typed, known);
}

// The places in `known` of the names of a configured list. Unknown ones become problems.
std::vector<std::size_t> look_up(std::string_view key, const std::vector<std::string>& wanted,
                                 const std::vector<std::string_view>& known,
                                 std::string_view examples, x509::Problems& problems) {
  std::vector<std::size_t> found;
  int index = -1;
  for (const auto& name : wanted) {
    ++index;
    const auto it = std::ranges::find_if(
        known, [&name](std::string_view entry) { return equal_ignoring_case(entry, name); });
    if (it != known.end()) {
      found.push_back(static_cast<std::size_t>(it - known.begin()));
      continue;
    }
    std::string hint;
    if (const auto meant = guess(name, known); !meant.empty()) {
      hint = "did you mean \"" + std::string(meant) + "\"? ";
    }
    problems.error(std::string(key), index,
                   "\"" + printable(name) + "\" is not the IANA name of a " +
                       (key == "groups" ? "group" : "cipher suite") + " that this GnuTLS (" +
                       gnutls_check_version(nullptr) + ") can offer",
                   hint + std::string(examples));
  }
  return found;
}

// Leaves out what is weaker than min_strength; a problem when nothing is left.
template <class T>
void keep_strong_or_report(std::vector<T>& list, const config::Tls& tls, const std::string& key,
                           x509::Problems& problems) {
  const bool any = !list.empty();
  keep_strong(list, tls.min_strength);
  // An empty list has had its problem already.
  if (!any || !list.empty()) return;
  problems.error(key, "none of tls." + key + " has the " +
                          std::to_string(least_bits(tls.min_strength)) +
                          " bits of strength that tls.min_strength asks for");
}

std::vector<std::string> defaults_for(const config::Tls& tls, OldVersions old_versions) {
  if (tls.psk_file.empty()) return default_suites(old_versions);
  auto names = default_psk_suites(old_versions);
  if (keys::needs_psk(tls)) return names;
  for (auto& name : default_suites(old_versions)) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

std::vector<Suite> find_suites(const config::Tls& tls, OldVersions old_versions,
                               x509::Problems& problems) {
  const auto known = known_suites();
  const auto defaults = defaults_for(tls, old_versions);
  std::vector<std::string_view> names;
  for (const auto& suite : known) names.push_back(suite.name);
  const auto examples =
      "known are " + joined({defaults.begin(), defaults.end()}) + ", and " +
      std::to_string(names.size() - defaults.size()) +
      " more (`gnutls-cli --list`; write them as IANA does, with WITH after the key exchange)";
  std::vector<Suite> suites;
  for (const auto place : look_up("ciphers", tls.ciphers.empty() ? defaults : tls.ciphers, names,
                                  examples, problems)) {
    suites.push_back(known[place]);
  }
  if (tls.psk_file.empty()) return suites;
  const auto is_useless = [](const Suite& suite) { return !suite.is_for_psk(); };
  const bool any_fits = !std::ranges::all_of(suites, is_useless);
  if (!any_fits && !suites.empty()) {
    problems.error(
        "ciphers", "none of tls.ciphers can be used with a pre-shared key",
        "TLS_AES_128_GCM_SHA256 and the other suites of TLS 1.3 with SHA-256 can, and those with "
        "PSK in their name: " +
            joined({defaults.begin(), defaults.end()}));
  }
  // What the server could only answer with a certificate is not offered at all.
  if (keys::needs_psk(tls)) std::erase_if(suites, is_useless);
  return suites;
}

std::vector<Group> find_groups(const config::Tls& tls, x509::Problems& problems) {
  static const std::vector<std::string> kDefaults = {"x25519", "secp256r1", "secp384r1",
                                                     "secp521r1"};
  const auto known = known_groups();
  std::vector<std::string_view> names;
  for (const auto& group : known) names.push_back(group.name);
  std::vector<Group> groups;
  for (const auto place : look_up("groups", tls.groups.empty() ? kDefaults : tls.groups, names,
                                  "known are " + joined(names), problems)) {
    groups.push_back(known[place]);
  }
  return groups;
}

bool can_use(const std::vector<Suite>& suites, gnutls_protocol_t version) {
  return std::ranges::any_of(suites, [version](const Suite& suite) {
    return suite.is_tls13() ? version == GNUTLS_TLS1_3
                            : version != GNUTLS_TLS1_3 && suite.min_version <= version;
  });
}

// The versions between the bounds that one of the suites can be used with, best first.
std::vector<Version> usable_versions(const config::Tls& tls, const std::vector<Suite>& suites,
                                     x509::Problems& problems) {
  std::vector<Version> list;
  for (const auto& version : kVersions) {
    if (version.config < tls.min_version || version.config > tls.max_version) continue;
    if (can_use(suites, version.id)) list.push_back(version);
  }
  if (!list.empty()) return list;
  const std::string range =
      tls.min_version == tls.max_version
          ? std::string("TLS ") + name_of(tls.min_version)
          : std::string("TLS ") + name_of(tls.min_version) + " to " + name_of(tls.max_version);
  if (tls.min_version > tls.max_version) {
    // Where the configuration's own check says it, too, so that it is said once.
    problems.error("max_version", "tls.max_version is below tls.min_version");
  } else {
    problems.error("ciphers", "none of tls.ciphers can be used with " + range,
                   "TLS 1.3 has suites of its own, such as TLS_AES_128_GCM_SHA256; those "
                   "with WITH in their name are for TLS 1.2 and older");
  }
  return list;
}

}  // namespace

bool Offer::accepts_suite(std::string_view name) const {
  return suites.empty() || std::ranges::find(suites, name) != suites.end();
}

bool Offer::accepts_group(gnutls_group_t group) const {
  return groups.empty() || std::ranges::find(groups, group) != groups.end();
}

// The first answer shows which version the server wants, and so which attempts are left for it.
std::optional<std::size_t> Offer::attempt_after(std::size_t attempt,
                                                gnutls_protocol_t version) const {
  const auto scope = attempt > 0                ? attempts[attempt].scope
                     : version >= GNUTLS_TLS1_3 ? Attempt::Scope::tls13
                                                : Attempt::Scope::older;
  for (std::size_t next = attempt + 1; next < attempts.size(); ++next) {
    if (attempts[next].scope == scope) return next;
  }
  return std::nullopt;
}

std::optional<Offer> make_offer(const config::Tls& tls, x509::Problems& problems) {
  Offer offer;
  if (!tls.priority.empty()) {
    auto attempt = make_attempt(Attempt::Scope::all, tls.priority, "priority", problems);
    if (!attempt) return std::nullopt;
    offer.verify_flags = verify_flags_of(attempt->text);
    offer.attempts.push_back(std::move(*attempt));
    return offer;
  }
  // Where a step has found a problem the next one is not taken: what is left of a list with an
  // unknown name in it would look to it like another problem.
  const auto before = problems.errors().size();
  const bool has_old = tls.min_version < TlsVersion::tls1_2;
  Choice choice;
  choice.suites = find_suites(tls, has_old ? OldVersions::yes : OldVersions::no, problems);
  choice.groups = find_groups(tls, problems);
  keep_strong_or_report(choice.suites, tls, "ciphers", problems);
  keep_strong_or_report(choice.groups, tls, "groups", problems);
  if (problems.errors().size() > before) return std::nullopt;
  choice.versions = usable_versions(tls, choice.suites, problems);
  if (problems.errors().size() > before) return std::nullopt;
  for (const auto& suite : choice.suites) offer.suites.push_back(suite.name);
  for (const auto& group : choice.groups) offer.groups.push_back(group.id);
  offer.attempts = make_attempts(tls, choice, problems);
  if (problems.errors().size() > before) return std::nullopt;
  offer.verify_flags = verify_flags_of(offer.attempts.front().text);
  return offer;
}

}  // namespace tunnel::tls
