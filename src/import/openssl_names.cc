// SPDX-License-Identifier: MIT
#include "import/openssl_names.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "import/openssl_ciphers.h"
#include "import/openssl_wishes.h"

namespace tunnel::import {
namespace {

constexpr auto kKeys = std::to_array<std::string_view>(
    {"ciphers", "ciphersuites", "curves", "curve", "securityLevel", "sslVersion", "sslVersionMin",
     "sslVersionMax", "options", "config"});

// stunnel's own lists (`stunnel -version` prints the first of them).
constexpr std::string_view kUsualCiphers = "HIGH:!aNULL:!SSLv2:!DH:!kDHEPSK";
constexpr std::string_view kUsualCiphersuites =
    "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256";
constexpr std::string_view kUsualCurves = "X25519:P-256:X448:P-521:P-384";

// What is written for "whatever is usual here": by other systems' OpenSSL, and by a stunnel whose
// OpenSSL has a group that GnuTLS lacks.
constexpr auto kAsUsual = std::to_array<std::string_view>(
    {"PROFILE=SYSTEM", "X25519MLKEM768:X25519:P-256:X448:P-521:P-384"});

template <class List>
bool contains(const List& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

std::string comma_separated(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + printable(name, 60);
  return text;
}

// Whether a suite may be negotiated in a range of versions.
bool fits(const OpensslSuite& suite, const OpensslVersions::Range& range) {
  if (range.min > config::TlsVersion::tls1_2) return false;
  return suite.since != OpensslSince::tls1_2 || range.max >= config::TlsVersion::tls1_2;
}

// Whether a suite is of use to a section. Those with RSA_PSK need a key and a certificate.
bool proves(const OpensslSuite& suite, OpensslProof proof) {
  const bool needs_key = suite.kx == OpensslKx::psk || suite.kx == OpensslKx::rsa_psk ||
                         suite.kx == OpensslKx::dhe_psk || suite.kx == OpensslKx::ecdhe_psk;
  const bool needs_certificate = !needs_key || suite.kx == OpensslKx::rsa_psk;
  return (!needs_key || proof != OpensslProof::certificates) &&
         (!needs_certificate || proof != OpensslProof::psk);
}

class Translator {
 public:
  Translator(std::span<const OpensslSetting> settings, OpensslProof proof)
      : wishes_(read_openssl_wishes(settings, notes_)), proof_(proof) {}

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
  // The wishes have been read before, all of them, because later lines overrule earlier ones.
  // Versions come first here: which suites may be offered depends on them.
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
    if (level_above(2) && range_->min < config::TlsVersion::tls1_2 &&
        range_->max >= config::TlsVersion::tls1_2) {
      notes_.warning(wishes_.level_at, "TLS before 1.2 does not reach security level " +
                                           std::to_string(wishes_.level) + ", and is not spoken");
      range_->min = config::TlsVersion::tls1_2;
    }
    const config::Tls defaults;
    if (range_->min != defaults.min_version) result_.min_version = range_->min;
    if (range_->max != defaults.max_version) result_.max_version = range_->max;
  }

  [[nodiscard]] bool level_above(int level) const { return wishes_.level > level; }

  // One list here; in OpenSSL, two that know nothing of each other.
  void settle_ciphers() {
    std::vector<std::string> older = read_ciphers(or_usual(wishes_.ciphers, kUsualCiphers));
    std::vector<std::string> tls13 =
        read_ciphersuites(or_usual(wishes_.ciphersuites, kUsualCiphersuites));
    if (range_->max >= config::TlsVersion::tls1_3) result_.ciphers = std::move(tls13);
    std::ranges::move(older, std::back_inserter(result_.ciphers));
    // A list that was refused has been reported already, and is empty for that reason.
    if (result_.ciphers.empty() && !notes_.has_errors()) {
      notes_.error(wishes_.ciphers        ? wishes_.ciphers->setting
                   : wishes_.ciphersuites ? wishes_.ciphersuites->setting
                                          : wishes_.versions_at,
                   "none of these cipher suites can be used with the versions that are left");
    }
  }

  static OpensslText or_usual(const std::optional<OpensslText>& text, std::string_view usual) {
    if (!text) return {0, usual};
    if (contains(kAsUsual, text->value)) return {text->setting, usual};
    return *text;
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
    note_left_out(list, at);
    if (range_->min > config::TlsVersion::tls1_2) return {};
    return offered(list, at);
  }

  // What of the list has no effect.
  void note_left_out(const OpensslCipherList& list, std::size_t at) {
    if (!list.unknown.empty()) {
      notes_.warning(at, "not known, and not offered: " + comma_separated(list.unknown));
    }
    if (!list.unsupported.empty()) {
      notes_.warning(at, "GnuTLS has no counterpart, or it is too weak, and it is not offered: " +
                             comma_separated(list.unsupported));
    }
    if (!list.unknown_excluded.empty()) {
      notes_.warning(at,
                     "not known, so what it should exclude may still be offered: " +
                         comma_separated(list.unknown_excluded),
                     "`tunnel convert` shows the cipher suites that are left");
    }
    if (!list.tls13.empty()) {
      notes_.notice(
          at,
          "cipher suites of TLS 1.3 have no effect in this list: " + comma_separated(list.tls13),
          "they are set with ciphersuites");
    }
  }

  std::vector<std::string> offered(const OpensslCipherList& list, std::size_t at) {
    std::vector<std::string> names;
    bool is_useless = false;
    for (const OpensslSuite* suite : list.suites) {
      // A level below 2 does not bring back what is refused here in any case: see
      // settle_strength().
      if (!suite->spoken || !is_allowed_at(std::max(wishes_.level, 2), *suite) ||
          !fits(*suite, *range_)) {
        continue;
      }
      if (proves(*suite, proof_)) {
        names.emplace_back(suite->iana);
      } else {
        is_useless = true;
      }
    }
    if (names.empty() && is_useless) {
      // TLS 1.3 takes either.
      notes_.warning(at, proof_ == OpensslProof::certificates
                             ? "these suites need a pre-shared key: without PSKsecrets, none "
                               "before TLS 1.3 is offered"
                             : "these suites need a certificate, and only a pre-shared key is "
                               "trusted: none before TLS 1.3 is offered");
    } else if (names.empty()) {
      notes_.error(at, "no cipher suite is left of this list that can be offered",
                   list.suites.empty() ? ""
                                       : "of OpenSSL's " + std::to_string(list.suites.size()) +
                                             " for it, GnuTLS speaks none at this strength");
    }
    return names;
  }

  // An empty list switches TLS 1.3 off, as it does in OpenSSL. One of which nothing is left was
  // meant to offer something.
  std::vector<std::string> read_ciphersuites(const OpensslText& text) {
    const OpensslCiphersuites list = translate_openssl_ciphersuites(text.value);
    if (!list.unknown.empty()) {
      notes_.warning(text.setting, "not cipher suites of TLS 1.3, and not offered: " +
                                       comma_separated(list.unknown));
    }
    if (!list.names.empty()) return list.names;
    if (list.unknown.empty()) {
      notes_.warning(text.setting, "without a cipher suite there is no TLS 1.3");
    } else {
      notes_.error(text.setting, "no cipher suite of TLS 1.3 is left of this list");
    }
    return {};
  }

  void settle_groups() {
    const OpensslText text = or_usual(wishes_.curves, kUsualCurves);
    OpensslGroups list = translate_openssl_groups(text.value);
    const auto at = text.setting;
    if (!list.unsupported.empty()) {
      notes_.warning(
          at, "too weak, or not in GnuTLS, and not offered: " + comma_separated(list.unsupported));
    }
    if (!list.unknown.empty()) {
      notes_.warning(at, "not known, and not offered: " + comma_separated(list.unknown));
    }
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
    result_.min_strength = wishes_.level == 3   ? config::MinStrength::bits128
                           : wishes_.level == 4 ? config::MinStrength::bits192
                                                : config::MinStrength::bits256;
    result_.no_resumption = true;
    notes_.notice(wishes_.level_at,
                  "security level " + std::to_string(wishes_.level) +
                      " switches resumption off, as in OpenSSL, where it forbids tickets");
  }

  OpensslNotes notes_;
  const OpensslWishes wishes_;
  const OpensslProof proof_;
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

void OpensslTranslation::apply(config::Tls& tls) const {
  if (min_version) tls.min_version = *min_version;
  if (max_version) tls.max_version = *max_version;
  if (!ciphers.empty()) tls.ciphers = ciphers;
  if (!groups.empty()) tls.groups = groups;
  if (min_strength) tls.min_strength = *min_strength;
  if (no_resumption) tls.resumption = false;
}

OpensslTranslation translate_openssl(std::span<const OpensslSetting> settings, OpensslProof proof) {
  return Translator(settings, proof).run();
}

}  // namespace tunnel::import
