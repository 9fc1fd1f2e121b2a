// SPDX-License-Identifier: MIT
#include "config/openssl_names.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "config/openssl_ciphers.h"
#include "config/openssl_options.h"
#include "config/openssl_versions.h"

namespace tunnel::config {
namespace {

using Severity = OpensslNote::Severity;

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

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

template <class List>
bool contains(const List& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

std::string in_quotes(std::string_view text) { return '"' + printable(text, 60) + '"'; }

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

class Translator {
 public:
  explicit Translator(std::span<const OpensslSetting> settings) : settings_(settings) {}

  OpensslTranslation run() && {
    read_settings();
    read_options();
    // Commands of `config` come last in OpenSSL, and hold against everything before them, but for
    // the groups, which stunnel sets after them.
    read_commands();
    if (ciphers_) adopt_level(*ciphers_);
    settle_versions();
    if (range_) settle_ciphers();
    settle_groups();
    settle_strength();
    std::ranges::stable_sort(result_.notes, {}, &OpensslNote::setting);
    return std::move(result_);
  }

 private:
  // A value, and the setting that it comes from.
  struct Text {
    std::size_t setting;
    std::string_view value;
  };

  void note(std::size_t setting, Severity severity, std::string text, std::string hint = {}) {
    OpensslNote entry{setting, severity, std::move(text), std::move(hint)};
    if (!contains_note(entry)) result_.notes.push_back(std::move(entry));
  }
  [[nodiscard]] bool contains_note(const OpensslNote& entry) const {
    return std::ranges::find(result_.notes, entry) != result_.notes.end();
  }
  void notice(std::size_t at, std::string text, std::string hint = {}) {
    note(at, Severity::notice, std::move(text), std::move(hint));
  }
  void warning(std::size_t at, std::string text, std::string hint = {}) {
    note(at, Severity::warning, std::move(text), std::move(hint));
  }
  void error(std::size_t at, std::string text, std::string hint = {}) {
    note(at, Severity::error, std::move(text), std::move(hint));
  }

  void read_settings() {
    for (std::size_t i = 0; i < settings_.size(); ++i) {
      const auto& [key, value] = settings_[i];
      const auto is = [name = key](std::string_view other) {
        return equal_ignoring_case(name, other);
      };
      if (is("ciphers")) ciphers_ = Text{i, value};
      if (is("ciphersuites")) ciphersuites_ = Text{i, value};
      if (is("curves") || is("curve")) curves_ = Text{i, value};
      if (is("securityLevel")) read_level(i, value);
      if (is("sslVersion") || is("sslVersionMin")) read_bound(i, value, Bound::min, "all");
      if (is("sslVersion") || is("sslVersionMax")) read_bound(i, value, Bound::max, "all");
    }
  }

  enum class Bound { min, max };

  void read_bound(std::size_t at, std::string_view value, Bound bound, std::string_view none) {
    versions_at_ = at;
    const auto version = find_openssl_version(value);
    const bool is_sslv3 = equal_ignoring_case(value, "SSLv3");
    if (!version && !is_sslv3 && !equal_ignoring_case(value, none)) {
      return error(at, in_quotes(value) + " is not a version of TLS",
                   "the versions are TLSv1, TLSv1.1, TLSv1.2, TLSv1.3 and " + std::string(none));
    }
    if (bound == Bound::max) {
      if (is_sslv3) return error(at, "SSLv3 is broken and not spoken here");
      versions_.set_max(version);
    } else {
      if (is_sslv3)
        notice(at, "SSLv3 is broken and not spoken here: TLS 1.0 is the oldest version");
      versions_.set_min(is_sslv3 ? TlsVersion::tls1_0 : version);
    }
  }

  void read_level(std::size_t at, std::string_view value) {
    int level = -1;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), level);
    if (failure != std::errc{} || end != value.data() + value.size() || level < 0 || level > 5)
      return error(at, in_quotes(value) + " is not a security level, which is 0 to 5");
    level_ = level;
    level_at_ = at;
  }

  // @SECLEVEL in the list comes after securityLevel.
  void adopt_level(const Text& text) {
    const auto level = evaluate_openssl_ciphers(text.value).security_level;
    if (!level) return;
    level_ = *level;
    level_at_ = text.setting;
  }

  // What is cleared with '-' anywhere is clear.
  void read_options() {
    for (std::size_t i = 0; i < settings_.size(); ++i)
      if (equal_ignoring_case(settings_[i].key, "options") && !settings_[i].value.starts_with('-'))
        set_option(i, settings_[i].value);
    for (std::size_t i = 0; i < settings_.size(); ++i)
      if (equal_ignoring_case(settings_[i].key, "options") && settings_[i].value.starts_with('-'))
        clear_option(i, settings_[i].value.substr(1));
  }

  std::optional<OpensslEffect> known_option(std::size_t at, std::string_view name) {
    const auto effect = find_openssl_option(name);
    if (!effect) {
      const auto meant = guess_openssl_option(name);
      error(at, in_quotes(name) + " is not an option of OpenSSL",
            meant.empty() ? "" : "did you mean \"" + std::string(meant) + "\"?");
    }
    return effect;
  }

  static std::optional<TlsVersion> version_of(OpensslEffect effect) {
    switch (effect) {
      case OpensslEffect::no_tls1_0:
        return TlsVersion::tls1_0;
      case OpensslEffect::no_tls1_1:
        return TlsVersion::tls1_1;
      case OpensslEffect::no_tls1_2:
        return TlsVersion::tls1_2;
      case OpensslEffect::no_tls1_3:
        return TlsVersion::tls1_3;
      default:
        return std::nullopt;
    }
  }

  void set_option(std::size_t at, std::string_view name) {
    const auto effect = known_option(at, name);
    if (!effect) return;
    if (const auto version = version_of(*effect)) {
      versions_at_ = at;
      return versions_.switch_off(*version);
    }
    obey(at, name, *effect);
  }

  void clear_option(std::size_t at, std::string_view name) {
    const auto effect = known_option(at, name);
    if (!effect) return;
    if (const auto version = version_of(*effect)) return versions_.switch_on(*version);
    switch (*effect) {
      case OpensslEffect::no_tickets:
        result_.no_resumption = false;
        break;
      case OpensslEffect::always:
        notice(at, "-" + std::string(name) + " has no effect: " + printable(name) +
                       " always holds here");
        break;
      default:
        notice(at, "-" + printable(name) + " has no meaning here");
    }
  }

  void obey(std::size_t at, std::string_view name, OpensslEffect effect) {
    const std::string subject = printable(name, 60);
    switch (effect) {
      case OpensslEffect::no_tickets:
        result_.no_resumption = true;
        return notice(at, subject + " switches resumption off, which lives on tickets here");
      case OpensslEffect::always:
        return notice(at, subject + " always holds here");
      case OpensslEffect::never:
        return notice(at, subject + " is not done here: it would weaken the connection");
      case OpensslEffect::server:
        return notice(at, subject + " means something for servers only");
      default:
        return notice(at,
                      subject + " has no meaning here: it is about OpenSSL and its workarounds");
    }
  }

  // `config = COMMAND:PARAMETER`.
  void read_commands() {
    for (std::size_t i = 0; i < settings_.size(); ++i) {
      if (!equal_ignoring_case(settings_[i].key, "config")) continue;
      const std::string_view value = settings_[i].value;
      const auto colon = value.find(':');
      if (colon == std::string_view::npos) {
        error(i, "\"config\" needs a command and its parameter, COMMAND:PARAMETER");
        continue;
      }
      run_command(i, value.substr(0, colon), value.substr(colon + 1));
    }
  }

  void run_command(std::size_t at, std::string_view command, std::string_view parameter) {
    const auto is = [command](std::string_view name) { return equal_ignoring_case(command, name); };
    if (is("CipherString")) {
      ciphers_ = Text{at, parameter};
    } else if (is("Ciphersuites")) {
      ciphersuites_ = Text{at, parameter};
    } else if (is("MinProtocol")) {
      read_bound(at, parameter, Bound::min, "None");
    } else if (is("MaxProtocol")) {
      read_bound(at, parameter, Bound::max, "None");
    } else if (is("Protocol")) {
      read_protocols(at, parameter);
    } else if (is("Groups") || is("Curves")) {
      if (curves_ && !equal_ignoring_case(settings_[curves_->setting].key, "config"))
        return notice(at, "\"curves\" holds against this command, in stunnel, too");
      notice(at, "stunnel puts its own list of curves in the place of this one; it holds here");
      curves_ = Text{at, parameter};
    } else if (is("Options")) {
      read_switches(at, parameter);
    } else {
      error(at, "the command " + in_quotes(command) + " has no counterpart here",
            "the commands with one are CipherString, Ciphersuites, MinProtocol, MaxProtocol, "
            "Protocol, Groups, Curves and Options");
    }
  }

  template <class Each>
  static void for_each_word(std::string_view list, const Each& each) {
    while (!list.empty()) {
      const auto end = std::min(list.find(','), list.size());
      if (end > 0) each(list.substr(0, end));
      list.remove_prefix(std::min(end + 1, list.size()));
    }
  }

  // "-TLSv1.3", "ALL,-TLSv1.1"; without a sign a version is switched on.
  void read_protocols(std::size_t at, std::string_view list) {
    versions_at_ = at;
    for_each_word(list, [&](std::string_view word) {
      const bool off = word.starts_with('-');
      if (off || word.starts_with('+')) word.remove_prefix(1);
      if (equal_ignoring_case(word, "ALL")) {
        if (!off) return versions_.switch_all_on();
        for (const auto version :
             {TlsVersion::tls1_0, TlsVersion::tls1_1, TlsVersion::tls1_2, TlsVersion::tls1_3})
          versions_.switch_off(version);
        return;
      }
      if (equal_ignoring_case(word, "SSLv2") || equal_ignoring_case(word, "SSLv3")) return;
      const auto version = find_openssl_version(word);
      if (!version) return error(at, in_quotes(word) + " is not a version of TLS");
      off ? versions_.switch_off(*version) : versions_.switch_on(*version);
    });
  }

  void read_switches(std::size_t at, std::string_view list) {
    for_each_word(list, [&](std::string_view word) {
      const auto effect = find_openssl_conf_option(word);
      if (!effect)
        return error(at, in_quotes(word) + " is not an option of OpenSSL's command Options");
      obey(at, word, *effect);
    });
  }

  void settle_versions() {
    if (versions_.is_crossed()) {
      return error(versions_at_, "the oldest version is newer than the newest, so none is left");
    }
    range_ = versions_.range();
    if (!range_) return error(versions_at_, "no version of TLS is left");
    if (range_->had_gap) {
      warning(versions_at_,
              "a version in the middle is switched off: of those that are left, only "
              "the newer ones are spoken");
    }
    if (level_above(2) && range_->min < TlsVersion::tls1_2 && range_->max >= TlsVersion::tls1_2) {
      warning(level_at_, "TLS before 1.2 does not reach security level " + std::to_string(level_) +
                             ", and is not spoken");
      range_->min = TlsVersion::tls1_2;
    }
    const Tls defaults;
    if (range_->min != defaults.min_version) result_.min_version = range_->min;
    if (range_->max != defaults.max_version) result_.max_version = range_->max;
  }

  [[nodiscard]] bool level_above(int level) const { return level_ > level; }

  void settle_ciphers() {
    const bool own_older = ciphers_ && !contains(kUsualCiphers, ciphers_->value);
    const bool own_tls13 = ciphersuites_ && !contains(kUsualCiphersuites, ciphersuites_->value);
    std::vector<std::string> older = own_older ? read_ciphers(*ciphers_) : usual_older();
    std::vector<std::string> tls13 = own_tls13 ? read_ciphersuites(*ciphersuites_) : usual_tls13();
    if (!own_older && !own_tls13) return;
    if (range_->max >= TlsVersion::tls1_3) result_.ciphers = std::move(tls13);
    std::ranges::move(older, std::back_inserter(result_.ciphers));
    if (result_.ciphers.empty() && !result_.has_errors()) {
      error((own_older ? *ciphers_ : *ciphersuites_).setting,
            "none of these cipher suites can be used with the versions that are left");
    }
  }

  std::vector<std::string> read_ciphers(const Text& text) {
    const OpensslCipherList list = evaluate_openssl_ciphers(text.value);
    const auto at = text.setting;
    if (!list.error.empty()) {
      error(at, "this is not an OpenSSL cipher list: " + list.error);
      return {};
    }
    if (text.value.starts_with("SUITEB")) {
      error(at, "Suite B restricts groups and certificates as well, which a list cannot say here",
            "name its cipher suites, ECDHE-ECDSA-AES128-GCM-SHA256 and "
            "ECDHE-ECDSA-AES256-GCM-SHA384, and set curves = P-256:P-384");
      return {};
    }
    if (!list.unknown.empty())
      warning(at, "not known, and not offered: " + enumerated(list.unknown));
    if (!list.unsupported.empty())
      warning(at, "GnuTLS has no counterpart, or it is too weak, and it is not offered: " +
                      enumerated(list.unsupported));
    if (!list.unknown_excluded.empty()) {
      warning(at,
              "not known, so what it should exclude may still be offered: " +
                  enumerated(list.unknown_excluded),
              "`tunnel convert` shows the cipher suites that are left");
    }
    if (!list.tls13.empty()) {
      notice(at, "cipher suites of TLS 1.3 have no effect in this list: " + enumerated(list.tls13),
             "they are set with ciphersuites");
    }
    if (range_->min > TlsVersion::tls1_2) return {};
    std::vector<std::string> names;
    for (const OpensslSuite* suite : list.suites)
      if (suite->spoken && is_allowed_at(std::max(level_, 2), *suite) && fits(*suite, *range_))
        names.emplace_back(suite->iana);
    if (names.empty()) {
      error(at, "no cipher suite is left of this list that can be offered",
            list.suites.empty() ? ""
                                : "of OpenSSL's " + std::to_string(list.suites.size()) +
                                      " for it, GnuTLS speaks none at this strength");
    }
    return names;
  }

  std::vector<std::string> read_ciphersuites(const Text& text) {
    const OpensslCiphersuites list = translate_openssl_ciphersuites(text.value);
    if (!list.unknown.empty())
      warning(text.setting,
              "not cipher suites of TLS 1.3, and not offered: " + enumerated(list.unknown));
    if (!list.names.empty()) return list.names;
    if (list.unknown.empty()) {
      warning(text.setting, "without a cipher suite there is no TLS 1.3");
    } else {
      error(text.setting, "no cipher suite of TLS 1.3 is left of this list");
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
    if (!curves_ || contains(kUsualCurves, curves_->value)) return;
    OpensslGroups list = translate_openssl_groups(curves_->value);
    const auto at = curves_->setting;
    if (!list.unsupported.empty())
      warning(at, "too weak, or not in GnuTLS, and not offered: " + enumerated(list.unsupported));
    if (!list.unknown.empty())
      warning(at, "not known, and not offered: " + enumerated(list.unknown));
    if (list.names.empty()) error(at, "no group is left of this list that can be offered");
    result_.groups = std::move(list.names);
  }

  // Level 2 is what holds here. The strength of what has keys (suites, groups, certificates) is
  // left to min_strength.
  void settle_strength() {
    if (level_ < 2) {
      warning(level_at_, "security level " + std::to_string(level_) +
                             " is not lowered to: keys and signatures of less than 112 bits are "
                             "still refused");
    }
    if (level_ <= 2) return;
    result_.min_strength = level_ == 3   ? MinStrength::bits128
                           : level_ == 4 ? MinStrength::bits192
                                         : MinStrength::bits256;
    result_.no_resumption = true;
    notice(level_at_, "security level " + std::to_string(level_) +
                          " switches resumption off, as in OpenSSL, where it forbids tickets");
  }

  std::span<const OpensslSetting> settings_;
  std::optional<Text> ciphers_, ciphersuites_, curves_;
  int level_ = 2;
  std::size_t level_at_ = 0;
  OpensslVersions versions_;
  std::size_t versions_at_ = 0;
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
      notes, [](const OpensslNote& note) { return note.severity == Severity::error; });
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
