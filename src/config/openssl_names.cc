// SPDX-License-Identifier: MIT
#include "config/openssl_names.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "config/openssl_ciphers.h"
#include "config/openssl_wishes.h"

namespace tunnel::config {
namespace {

constexpr auto kKeys = std::to_array<std::string_view>(
    {"ciphers", "ciphersuites", "curves", "curve", "securityLevel", "sslVersion", "sslVersionMin",
     "sslVersionMax", "options", "config"});

// stunnel's own lists, of which it prints the first (`stunnel -version`), and what other systems
// write for "whatever is usual here".
constexpr auto kUsualCiphers = std::to_array<std::string_view>(
    {"HIGH:!aNULL:!SSLv2:!DH:!kDHEPSK", "HIGH:!DH:!aNULL:!SSLv2", "HIGH:+3DES:+DH:!aNULL:!SSLv2",
     "HIGH:MEDIUM:+3DES:+DH:!aNULL:!SSLv2", "DEFAULT", "PROFILE=SYSTEM"});
constexpr auto kUsualCiphersuites = std::to_array<std::string_view>(
    {"TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256",
     "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256",
     "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"});
constexpr auto kUsualCurves = std::to_array<std::string_view>(
    {"X25519:P-256:X448:P-521:P-384", "X25519MLKEM768:X25519:P-256:X448:P-521:P-384"});

// The default of tls.ciphers, in its two halves: a list that sets one of them keeps the other. A
// test of the cli room compares them with the offer of a service that sets nothing.
constexpr auto kDefaultTls13 = std::to_array<std::string_view>(
    {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"});
constexpr auto kDefaultTls12 = std::to_array<std::string_view>({
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-RSA-AES128-SHA256",
    "ECDHE-ECDSA-AES256-SHA384",
    "ECDHE-RSA-AES256-SHA384",
});
constexpr std::string_view kDefaultOld =
    ":ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA";

template <class List>
bool contains(const List& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

std::string enumerated(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + printable(name, 60);
  return text;
}

// Whether a suite may be negotiated in a range of versions.
bool fits(const OpensslSuite& suite, const OpensslVersions::Range& range) {
  if (range.min > TlsVersion::tls1_2) return false;
  return suite.since != OpensslSince::tls1_2 || range.max >= TlsVersion::tls1_2;
}
// "AES_128_GCM_SHA256", which the suites of TLS 1.3 and the older ones write alike, but for CCM.
std::string_view encryption_of(std::string_view iana) {
  constexpr std::string_view kWith = "_WITH_";
  const auto with = iana.find(kWith);
  auto rest = iana.substr(with == std::string_view::npos ? 4 : with + kWith.size());
  if (rest.find("_CCM") != std::string_view::npos && rest.ends_with("_SHA256"))
    rest.remove_suffix(std::string_view("_SHA256").size());
  return rest;
}

bool shares_encryption(const std::vector<std::string>& suites, std::string_view with) {
  return std::ranges::any_of(suites, [with](const std::string& suite) {
    return encryption_of(suite) == encryption_of(with);
  });
}

bool could_be_tls13(std::string_view iana) {
  const auto encryption = encryption_of(iana);
  return std::ranges::any_of(std::to_array({"_GCM", "_CCM", "CHACHA20"}), [&](const char* mode) {
    return encryption.find(mode) != std::string_view::npos;
  });
}

class Translator {
 public:
  explicit Translator(std::span<const OpensslSetting> settings)
      : wishes_(read_openssl_wishes(settings, notes_)) {}

  OpensslTranslation run() && {
    result_.no_resumption = wishes_.no_tickets;
    settle_versions();
    if (range_) settle_ciphers();
    settle_groups();
    settle_strength();
    result_.notes = std::move(notes_).sorted();
    return std::move(result_);
  }

 private:
  void settle_versions() {
    if (wishes_.versions.is_crossed()) {
      return notes_.error(wishes_.versions_at,
                          "the oldest version is newer than the newest, so none is left");
    }
    range_ = wishes_.versions.range();
    if (!range_) return notes_.error(wishes_.versions_at, "no version of TLS is left");
    if (range_->had_gap) {
      notes_.warning(wishes_.versions_at,
                     "a version in the middle is switched off: of those that are left, only "
                     "the newer ones are spoken");
    }
    if (level_above(2) && range_->min < TlsVersion::tls1_2 && range_->max >= TlsVersion::tls1_2) {
      notes_.warning(wishes_.level_at, "TLS before 1.2 does not reach security level " +
                                           std::to_string(wishes_.level) + ", and is not spoken");
      range_->min = TlsVersion::tls1_2;
    }
    const Tls defaults;
    if (range_->min != defaults.min_version) result_.min_version = range_->min;
    if (range_->max != defaults.max_version) result_.max_version = range_->max;
  }

  [[nodiscard]] bool level_above(int level) const { return wishes_.level > level; }

  void settle_ciphers() {
    const bool own_older = wishes_.ciphers && !contains(kUsualCiphers, wishes_.ciphers->value);
    const bool own_tls13 =
        wishes_.ciphersuites && !contains(kUsualCiphersuites, wishes_.ciphersuites->value);
    std::vector<std::string> older = own_older ? read_ciphers(*wishes_.ciphers) : usual_older();
    std::vector<std::string> tls13 =
        own_tls13 ? read_ciphersuites(*wishes_.ciphersuites) : usual_tls13();
    if (!own_older && !own_tls13) return;
    if (!own_tls13) follow_older(tls13, older);
    if (!own_older && !tls13.empty()) follow_tls13(older, tls13);
    if (range_->max >= TlsVersion::tls1_3) result_.ciphers = std::move(tls13);
    std::ranges::move(older, std::back_inserter(result_.ciphers));
    if (result_.ciphers.empty() && !notes_.has_errors()) {
      notes_.error((own_older ? *wishes_.ciphers : *wishes_.ciphersuites).setting,
                   "none of these cipher suites can be used with the versions that are left");
    }
  }

  // GnuTLS cannot offer an encryption in TLS 1.3 and keep it from the older versions, nor the other
  // way round, and a server that chose what is not in the list would be refused. So the half of the
  // list that the file leaves to us takes its encryptions from the other one. Where they have none
  // in common, as with CBC, TLS 1.3 is kept all the same.
  static void follow_older(std::vector<std::string>& tls13, const std::vector<std::string>& older) {
    std::vector<std::string> common;
    for (const std::string& name : tls13)
      if (shares_encryption(older, name)) common.push_back(name);
    if (!common.empty()) tls13 = std::move(common);
  }

  static void follow_tls13(std::vector<std::string>& older, const std::vector<std::string>& tls13) {
    std::erase_if(older, [&](const std::string& name) {
      return could_be_tls13(name) && !shares_encryption(tls13, name);
    });
  }

  std::vector<std::string> read_ciphers(const OpensslText& text) {
    const OpensslCipherList list = evaluate_openssl_ciphers(text.value);
    const auto at = text.setting;
    if (!list.error.empty()) {
      notes_.error(at, "this is not an OpenSSL cipher list: " + list.error);
      return {};
    }
    if (text.value.starts_with("SUITEB")) {
      notes_.error(
          at, "Suite B restricts groups and certificates as well, which a list cannot say here",
          "name its cipher suites, ECDHE-ECDSA-AES128-GCM-SHA256 and "
          "ECDHE-ECDSA-AES256-GCM-SHA384, and set curves = P-256:P-384");
      return {};
    }
    if (!list.unknown.empty())
      notes_.warning(at, "not known, and not offered: " + enumerated(list.unknown));
    if (!list.unsupported.empty())
      notes_.warning(at, "GnuTLS has no counterpart, or it is too weak, and it is not offered: " +
                             enumerated(list.unsupported));
    if (!list.unknown_excluded.empty()) {
      notes_.warning(at,
                     "not known, so what it should exclude may still be offered: " +
                         enumerated(list.unknown_excluded),
                     "`tunnel convert` shows the cipher suites that are left");
    }
    if (!list.tls13.empty()) {
      notes_.notice(
          at, "cipher suites of TLS 1.3 have no effect in this list: " + enumerated(list.tls13),
          "they are set with ciphersuites");
    }
    if (range_->min > TlsVersion::tls1_2) return {};
    std::vector<std::string> names;
    for (const OpensslSuite* suite : list.suites)
      if (suite->spoken && is_allowed_at(std::max(wishes_.level, 2), *suite) &&
          fits(*suite, *range_))
        names.emplace_back(suite->iana);
    if (names.empty()) {
      notes_.error(at, "no cipher suite is left of this list that can be offered",
                   list.suites.empty() ? ""
                                       : "of OpenSSL's " + std::to_string(list.suites.size()) +
                                             " for it, GnuTLS speaks none at this strength");
    }
    return names;
  }

  std::vector<std::string> read_ciphersuites(const OpensslText& text) {
    const OpensslCiphersuites list = translate_openssl_ciphersuites(text.value);
    if (!list.unknown.empty())
      notes_.warning(text.setting,
                     "not cipher suites of TLS 1.3, and not offered: " + enumerated(list.unknown));
    if (!list.names.empty()) return list.names;
    if (list.unknown.empty()) {
      notes_.warning(text.setting, "without a cipher suite there is no TLS 1.3");
    } else {
      notes_.error(text.setting, "no cipher suite of TLS 1.3 is left of this list");
    }
    return {};
  }

  [[nodiscard]] std::vector<std::string> usual_tls13() const {
    return {kDefaultTls13.begin(), kDefaultTls13.end()};
  }

  [[nodiscard]] std::vector<std::string> usual_older() const {
    std::string list;
    for (const std::string_view name : kDefaultTls12) list += ':' + std::string(name);
    if (range_->min < TlsVersion::tls1_2) list += kDefaultOld;
    std::vector<std::string> names;
    for (const OpensslSuite* suite : evaluate_openssl_ciphers(list).suites)
      if (fits(*suite, *range_)) names.emplace_back(suite->iana);
    return names;
  }

  void settle_groups() {
    if (!wishes_.curves || contains(kUsualCurves, wishes_.curves->value)) return;
    OpensslGroups list = translate_openssl_groups(wishes_.curves->value);
    const auto at = wishes_.curves->setting;
    if (!list.unsupported.empty())
      notes_.warning(
          at, "too weak, or not in GnuTLS, and not offered: " + enumerated(list.unsupported));
    if (!list.unknown.empty())
      notes_.warning(at, "not known, and not offered: " + enumerated(list.unknown));
    if (list.names.empty()) notes_.error(at, "no group is left of this list that can be offered");
    result_.groups = std::move(list.names);
  }

  // Level 2 is what holds here. The strength of what has keys (suites, groups, certificates) is
  // left to min_strength.
  void settle_strength() {
    if (wishes_.level < 2) {
      notes_.warning(wishes_.level_at,
                     "security level " + std::to_string(wishes_.level) +
                         " is not lowered to: keys and signatures of less than 112 bits are "
                         "still refused");
    }
    if (wishes_.level <= 2) return;
    result_.min_strength = wishes_.level == 3   ? MinStrength::bits128
                           : wishes_.level == 4 ? MinStrength::bits192
                                                : MinStrength::bits256;
    result_.no_resumption = true;
    notes_.notice(wishes_.level_at,
                  "security level " + std::to_string(wishes_.level) +
                      " switches resumption off, as in OpenSSL, where it forbids tickets");
  }

  OpensslNotes notes_;
  const OpensslWishes wishes_;
  std::optional<OpensslVersions::Range> range_;
  OpensslTranslation result_;
};

}  // namespace

bool is_openssl_setting(std::string_view key) {
  return std::ranges::any_of(
      kKeys, [key](std::string_view name) { return equal_ignoring_case(name, key); });
}

bool OpensslTranslation::has_errors() const {
  return std::ranges::any_of(
      notes, [](const OpensslNote& note) { return note.severity == OpensslNote::Severity::error; });
}

void OpensslTranslation::apply(Tls& tls) const {
  if (min_version) tls.min_version = *min_version;
  if (max_version) tls.max_version = *max_version;
  if (!ciphers.empty()) tls.ciphers = ciphers;
  if (!groups.empty()) tls.groups = groups;
  if (min_strength) tls.min_strength = *min_strength;
  if (no_resumption) tls.resumption = false;
}

OpensslTranslation translate_openssl(std::span<const OpensslSetting> settings) {
  return Translator(settings).run();
}

}  // namespace tunnel::config
