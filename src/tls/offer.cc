// SPDX-License-Identifier: MIT
#include "tls/offer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "keys/psk.h"
#include "tls/products.h"
#include "tls/suites.h"

namespace tunnel::tls {
namespace {

using config::TlsVersion;

struct Version {
  TlsVersion config;
  gnutls_protocol_t id;
  const char* name;
};
constexpr Version kVersions[] = {
    // best first: the order of the offer
    {TlsVersion::tls1_3, GNUTLS_TLS1_3, "1.3"},
    {TlsVersion::tls1_2, GNUTLS_TLS1_2, "1.2"},
    {TlsVersion::tls1_1, GNUTLS_TLS1_1, "1.1"},
    {TlsVersion::tls1_0, GNUTLS_TLS1_0, "1.0"},
};

const char* name_of(TlsVersion version) {
  for (const auto& entry : kVersions)
    if (entry.config == version) return entry.name;
  return "?";
}

// A list without repetitions, in the order of first appearance.
class TokenList {
 public:
  void add(std::string token) {
    if (std::ranges::find(tokens_, token) == tokens_.end()) tokens_.push_back(std::move(token));
  }
  // ":+A:+B", after what removes the others.
  [[nodiscard]] std::string replacing(std::string_view all) const {
    std::string text = ":-" + std::string(all);
    for (const auto& token : tokens_) text += ":+" + token;
    return text;
  }

 private:
  std::vector<std::string> tokens_;
};

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
  for (const auto& alias : kGroupAliases)
    if (equal_ignoring_case(alias.typed, typed) &&
        std::ranges::find(known, alias.meant) != known.end())
      return alias.meant;
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
    if (const auto meant = guess(name, known); !meant.empty())
      hint = "did you mean \"" + std::string(meant) + "\"? ";
    problems.error(std::string(key), index,
                   "\"" + printable(name) + "\" is not the IANA name of a " +
                       (key == "groups" ? "group" : "cipher suite") + " that this GnuTLS (" +
                       gnutls_check_version(nullptr) + ") can offer",
                   hint + std::string(examples));
  }
  return found;
}

struct Strength {
  config::MinStrength config;
  int bits;
  std::string_view profile;
  // Too weak for it and good enough for the row before, of the handshake too: a chain may go
  // unverified.
  std::string_view signatures;
};
constexpr std::string_view kBelow192 =
    ":-SIGN-RSA-SHA256:-SIGN-RSA-PSS-SHA256:-SIGN-RSA-PSS-RSAE-SHA256:-SIGN-ECDSA-SHA256"
    ":-SIGN-ECDSA-SECP256R1-SHA256:-SIGN-EdDSA-Ed25519";
constexpr std::string_view kBelow256 =
    ":-SIGN-RSA-SHA384:-SIGN-RSA-PSS-SHA384:-SIGN-RSA-PSS-RSAE-SHA384:-SIGN-ECDSA-SHA384"
    ":-SIGN-ECDSA-SECP384R1-SHA384:-SIGN-EdDSA-Ed448";
constexpr Strength kStrengths[] = {
    {config::MinStrength::bits112, 112, "%PROFILE_MEDIUM", ""},
    {config::MinStrength::bits128, 128, "%PROFILE_HIGH", ""},
    {config::MinStrength::bits192, 192, "%PROFILE_ULTRA", kBelow192},
    {config::MinStrength::bits256, 256, "%PROFILE_FUTURE", kBelow256},
};

const Strength& strength_of(const config::Tls& tls) {
  return *std::ranges::find(kStrengths, tls.min_strength, &Strength::config);
}

int bits_of(const Suite& suite) {
  if (suite.cipher == GNUTLS_CIPHER_3DES_CBC) return 112;  // of 168: two keys meet in the middle
  return static_cast<int>(gnutls_cipher_get_key_size(suite.cipher)) * 8;
}

// As OpenSSL and NIST count them.
int bits_of(const Group& group) {
  switch (group.id) {
    case GNUTLS_GROUP_SECP384R1:
    case GNUTLS_GROUP_FFDHE8192:
      return 192;
    case GNUTLS_GROUP_SECP521R1:
      return 256;
    case GNUTLS_GROUP_X448:
      return 224;
    case GNUTLS_GROUP_SECP224R1:
    case GNUTLS_GROUP_FFDHE2048:
      return 112;
    default:
      return 128;
  }
}

// Leaves out what is weaker than min_strength; a problem when nothing is left.
template <class T>
void keep_strong(std::vector<T>& list, const config::Tls& tls, std::string_view key,
                 x509::Problems& problems) {
  const int least = strength_of(tls).bits;
  const bool any = !list.empty();
  std::erase_if(list, [least](const T& entry) { return bits_of(entry) < least; });
  if (any && list.empty()) {
    problems.error(std::string(key), "none of tls." + std::string(key) + " has the " +
                                         std::to_string(least) +
                                         " bits of strength that tls.min_strength asks for");
  }
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
  for (const auto place :
       look_up("ciphers", tls.ciphers.empty() ? defaults : tls.ciphers, names, examples, problems))
    suites.push_back(known[place]);
  if (tls.psk_file.empty()) return suites;
  const auto is_useless = [](const Suite& suite) { return !suite.is_for_psk(); };
  const bool any_fits = !std::ranges::all_of(suites, is_useless);
  if (!any_fits && !suites.empty())
    problems.error(
        "ciphers", "none of tls.ciphers can be used with a pre-shared key",
        "TLS_AES_128_GCM_SHA256 and the other suites of TLS 1.3 with SHA-256 can, and those with "
        "PSK in their name: " +
            joined({defaults.begin(), defaults.end()}));
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
                                  "known are " + joined(names), problems))
    groups.push_back(known[place]);
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

// The pieces of verification that a priority string settles but a trust list does not know of.
unsigned verify_flags_of(std::string_view priority) {
  struct Profile {
    std::string_view token;
    gnutls_certificate_verification_profiles_t profile;
  };
  static constexpr Profile kProfiles[] = {
      {"%PROFILE_VERY_WEAK", GNUTLS_PROFILE_VERY_WEAK}, {"%PROFILE_LOW", GNUTLS_PROFILE_LOW},
      {"%PROFILE_LEGACY", GNUTLS_PROFILE_LEGACY},       {"%PROFILE_MEDIUM", GNUTLS_PROFILE_MEDIUM},
      {"%PROFILE_HIGH", GNUTLS_PROFILE_HIGH},           {"%PROFILE_ULTRA", GNUTLS_PROFILE_ULTRA},
      {"%PROFILE_FUTURE", GNUTLS_PROFILE_FUTURE},
  };
  const auto has = [priority](std::string_view token) {
    for (auto at = priority.find(token); at != std::string_view::npos;
         at = priority.find(token, at + 1)) {
      const auto end = at + token.size();
      if (end == priority.size() || priority[end] == ':') return true;
    }
    return false;
  };
  unsigned flags = 0;
  auto profile = GNUTLS_PROFILE_MEDIUM;
  for (const auto& entry : kProfiles)
    if (has(entry.token)) profile = entry.profile;
  if (has("%VERIFY_ALLOW_SIGN_WITH_SHA1")) flags |= GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1;
  if (has("%VERIFY_ALLOW_SIGN_RSA_MD5")) flags |= GNUTLS_VERIFY_ALLOW_SIGN_RSA_MD5;
  if (has("%VERIFY_ALLOW_BROKEN")) flags |= GNUTLS_VERIFY_ALLOW_BROKEN;
  return flags | GNUTLS_PROFILE_TO_VFLAGS(profile);
}

std::optional<Attempt> make_attempt(Attempt::Scope scope, std::string priority_string,
                                    std::string_view key, x509::Problems& problems) {
  Attempt attempt{scope, nullptr, std::move(priority_string)};
  gnutls_priority_t priority = nullptr;
  const char* stopped_at = nullptr;
  const int error = gnutls_priority_init(&priority, attempt.text.c_str(), &stopped_at);
  if (error < 0) {
    std::string text = "GnuTLS does not accept the priority string";
    if (stopped_at != nullptr && *stopped_at != '\0') {
      const auto position = static_cast<std::size_t>(stopped_at - attempt.text.c_str());
      text += " from character " + std::to_string(position + 1) + " on: \"" +
              printable(stopped_at, 60) + "\"";
    } else {
      text += std::string(": ") + gnutls_strerror(error);
    }
    problems.error(std::string(key), std::move(text),
                   "`gnutls-cli --list --priority STRING` shows what a string means");
    return std::nullopt;
  }
  attempt.priority.reset(priority);
  return attempt;
}

// More servers than a handful differ from a list that needs more: those get no suite of the rest.
constexpr std::size_t kMostParts = 8;

// Turns lists into priority strings.
class Attempts {
 public:
  Attempts(const config::Tls& tls, std::vector<Suite> suites, const std::vector<Group>& groups,
           std::vector<Version> versions, x509::Problems& problems)
      : tls_(tls),
        suites_(std::move(suites)),
        versions_(std::move(versions)),
        problems_(problems),
        known_(known_suites()) {
    for (const auto& group : groups)
      curves_.add(std::string("GROUP-") + gnutls_group_get_name(group.id));
  }

  std::vector<Attempt> run() && {
    add(Attempt::Scope::all, suites_, versions_);
    const auto is_tls13 = [](const Suite& suite) { return suite.is_tls13(); };
    const auto is_modern = [](const Version& version) { return version.id == GNUTLS_TLS1_3; };
    std::vector<Suite> tls13, older = suites_;
    std::vector<Version> modern, old = versions_;
    std::ranges::copy_if(suites_, std::back_inserter(tls13), is_tls13);
    std::ranges::copy_if(versions_, std::back_inserter(modern), is_modern);
    std::erase_if(older, is_tls13);
    std::erase_if(old, is_modern);
    if (!modern.empty() && is_wider(Attempt::Scope::tls13))
      add(Attempt::Scope::tls13, tls13, modern);
    if (!old.empty() && is_wider(Attempt::Scope::older)) {
      for (const auto& part : exact_parts(older, known_, range_of(old), kMostParts))
        add(Attempt::Scope::older, part, old);
    }
    return std::move(attempts_);
  }

 private:
  static VersionRange range_of(const std::vector<Version>& versions) {
    VersionRange range;
    for (const auto& version : versions) {
      if (version.id == GNUTLS_TLS1_3) {
        range.has_tls13 = true;
      } else if (!range.newest_older) {  // they are in the order of kVersions
        range.newest_older = version.id;
      }
    }
    return range;
  }

  [[nodiscard]] bool offers_key(const std::vector<Version>& versions) const {
    return !tls_.psk_file.empty() && range_of(versions).has_tls13;
  }

  // Whether the first attempt has more than was listed in these versions.
  [[nodiscard]] bool is_wider(Attempt::Scope scope) const {
    const bool is_modern = scope == Attempt::Scope::tls13;
    Product product(range_of(versions_));
    for (const auto& suite : suites_) product.add(suite);
    if (offers_key(versions_)) product.add_exchange(GNUTLS_KX_ECDHE_PSK);
    // In TLS 1.3 it would be the key without a fresh exchange.
    if (is_modern && product.has_exchange(GNUTLS_KX_PSK)) return true;
    return std::ranges::any_of(known_, [&](const Suite& suite) {
      return suite.is_tls13() == is_modern && product.offers(suite) &&
             std::ranges::find(suites_, suite.name, &Suite::name) == suites_.end();
    });
  }

  void add(Attempt::Scope scope, const std::vector<Suite>& suites,
           const std::vector<Version>& versions) {
    auto attempt = make_attempt(scope, text_of(suites, versions), "ciphers", problems_);
    if (attempt) attempts_.push_back(std::move(*attempt));
  }

  [[nodiscard]] std::string text_of(const std::vector<Suite>& suites,
                                    const std::vector<Version>& versions) const {
    TokenList names, ciphers, macs, exchanges;
    for (const auto& version : versions) names.add(std::string("VERS-TLS") + version.name);
    // In TLS 1.3, where suites name no key exchange, this offers the key with a fresh exchange.
    if (offers_key(versions)) exchanges.add("ECDHE-PSK");
    for (const auto& suite : suites) {
      ciphers.add(gnutls_cipher_get_name(suite.cipher));
      macs.add(gnutls_mac_get_name(suite.mac));
      if (!suite.is_tls13()) exchanges.add(gnutls_kx_get_name(suite.kx));
    }
    std::string text = "NORMAL" + names.replacing("VERS-ALL") + ciphers.replacing("CIPHER-ALL") +
                       macs.replacing("MAC-ALL") + exchanges.replacing("KX-ALL") +
                       curves_.replacing("GROUP-ALL");
    // TLS 1.0 and 1.1 know no other signature of a key exchange than one with SHA-1.
    if (tls_.min_version >= TlsVersion::tls1_2) text += ":-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1";
    for (const Strength& step : kStrengths)
      if (step.bits <= strength_of(tls_).bits) text += step.signatures;
    return text + ":" + std::string(strength_of(tls_).profile);
  }

  const config::Tls& tls_;
  const std::vector<Suite> suites_;
  const std::vector<Version> versions_;
  x509::Problems& problems_;
  const std::vector<Suite> known_;
  TokenList curves_;
  std::vector<Attempt> attempts_;
};

}  // namespace

bool Offer::accepts_suite(std::string_view name) const {
  return suites.empty() || std::ranges::find(suites, name) != suites.end();
}

bool Offer::accepts_group(gnutls_group_t group) const {
  return groups.empty() || std::ranges::find(groups, group) != groups.end();
}

std::optional<std::size_t> Offer::attempt_after(std::size_t attempt,
                                                gnutls_protocol_t version) const {
  const auto scope = attempt > 0                ? attempts[attempt].scope
                     : version >= GNUTLS_TLS1_3 ? Attempt::Scope::tls13
                                                : Attempt::Scope::older;
  for (std::size_t next = attempt + 1; next < attempts.size(); ++next)
    if (attempts[next].scope == scope) return next;
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
  const auto before = problems.errors().size();
  const bool has_old = tls.min_version < TlsVersion::tls1_2;
  auto suites = find_suites(tls, has_old ? OldVersions::yes : OldVersions::no, problems);
  auto groups = find_groups(tls, problems);
  keep_strong(suites, tls, "ciphers", problems);
  keep_strong(groups, tls, "groups", problems);
  if (problems.errors().size() > before) return std::nullopt;
  auto versions = usable_versions(tls, suites, problems);
  if (problems.errors().size() > before) return std::nullopt;
  for (const auto& suite : suites) offer.suites.push_back(suite.name);
  for (const auto& group : groups) offer.groups.push_back(group.id);
  offer.attempts = Attempts(tls, std::move(suites), groups, std::move(versions), problems).run();
  if (problems.errors().size() > before) return std::nullopt;
  offer.verify_flags = verify_flags_of(offer.attempts.front().text);
  return offer;
}

}  // namespace tunnel::tls
