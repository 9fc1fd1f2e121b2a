// SPDX-License-Identifier: MIT
#include "import/openssl_ciphers.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tunnel::import {
namespace {

using Kx = OpensslKx;
using Au = OpensslAu;
using Enc = OpensslEnc;
using Mac = OpensslMac;
using Since = OpensslSince;

template <class... E>
constexpr unsigned set_of(E... members) {
  return (0U | ... | (1U << static_cast<unsigned>(members)));
}

template <class E>
constexpr bool has(unsigned set, E member) {
  return (set & set_of(member)) != 0;
}

constexpr unsigned kAny = ~0U;

// What one rule of a list selects: the suites that are in every set.
struct Pattern {
  unsigned kx = kAny;
  unsigned au = kAny;
  unsigned enc = kAny;
  unsigned mac = kAny;
  unsigned since = kAny;
  bool only_default = false;
  bool only_not_default = false;
  bool only_fips = false;
  const OpensslSuite* suite = nullptr;

  [[nodiscard]] bool matches(const OpensslSuite& s) const {
    return (suite == nullptr || suite == &s) && has(kx, s.kx) && has(au, s.au) && has(enc, s.enc) &&
           has(mac, s.mac) && has(since, s.since) && (!only_default || s.in_default) &&
           (!only_not_default || !s.in_default) && (!only_fips || s.fips);
  }

  void narrow(const Pattern& other) {
    kx &= other.kx;
    au &= other.au;
    enc &= other.enc;
    mac &= other.mac;
    since &= other.since;
    only_default |= other.only_default;
    only_not_default |= other.only_not_default;
    only_fips |= other.only_fips;
    if (other.suite != nullptr) suite = other.suite;
  }
};

constexpr unsigned kNull = set_of(Enc::null);
constexpr unsigned kEncrypted = kAny & ~kNull;
constexpr unsigned kGcm = set_of(Enc::aes128_gcm, Enc::aes256_gcm);
constexpr unsigned kCcm8 = set_of(Enc::aes128_ccm8, Enc::aes256_ccm8);
constexpr unsigned kCcm = set_of(Enc::aes128_ccm, Enc::aes256_ccm) | kCcm8;
constexpr unsigned kAes128 =
    set_of(Enc::aes128_cbc, Enc::aes128_gcm, Enc::aes128_ccm, Enc::aes128_ccm8);
constexpr unsigned kAes256 =
    set_of(Enc::aes256_cbc, Enc::aes256_gcm, Enc::aes256_ccm, Enc::aes256_ccm8);
constexpr unsigned kCamellia = set_of(Enc::camellia128_cbc, Enc::camellia256_cbc);
constexpr unsigned kAria = set_of(Enc::aria128_gcm, Enc::aria256_gcm);
constexpr unsigned kCbc = set_of(Enc::aes128_cbc, Enc::aes256_cbc) | kCamellia;
constexpr unsigned kPskKx = set_of(Kx::psk, Kx::rsa_psk, Kx::dhe_psk, Kx::ecdhe_psk);
constexpr unsigned kNamed = kAny & ~set_of(Au::none);

struct Alias {
  std::string_view name;
  Pattern pattern;
};

constexpr auto kAliases = std::to_array<Alias>({
    {"ALL", {.enc = kEncrypted}},
    {"COMPLEMENTOFALL", {.enc = kNull}},
    {"COMPLEMENTOFDEFAULT", {.enc = kEncrypted, .only_not_default = true}},
    {"HIGH", {.enc = kEncrypted}},  // whatever is still built in
    {"FIPS", {.only_fips = true}},
    // key exchange
    {"kRSA", {.kx = set_of(Kx::rsa)}},
    {"kDHE", {.kx = set_of(Kx::dhe)}},
    {"kEDH", {.kx = set_of(Kx::dhe)}},
    {"DH", {.kx = set_of(Kx::dhe)}},
    {"kECDHE", {.kx = set_of(Kx::ecdhe)}},
    {"kEECDH", {.kx = set_of(Kx::ecdhe)}},
    {"ECDH", {.kx = set_of(Kx::ecdhe)}},
    {"kPSK", {.kx = set_of(Kx::psk)}},
    {"kRSAPSK", {.kx = set_of(Kx::rsa_psk)}},
    {"kDHEPSK", {.kx = set_of(Kx::dhe_psk)}},
    {"kECDHEPSK", {.kx = set_of(Kx::ecdhe_psk)}},
    {"PSK", {.kx = kPskKx}},
    {"kSRP", {.kx = set_of(Kx::srp)}},
    {"SRP", {.kx = set_of(Kx::srp)}},
    // authentication
    {"aRSA", {.au = set_of(Au::rsa)}},
    {"aECDSA", {.au = set_of(Au::ecdsa)}},
    {"ECDSA", {.au = set_of(Au::ecdsa)}},
    {"aDSS", {.au = set_of(Au::dss)}},
    {"DSS", {.au = set_of(Au::dss)}},
    {"aPSK", {.au = set_of(Au::psk)}},
    {"aSRP", {.au = set_of(Au::srp)}},
    {"aNULL", {.au = set_of(Au::none)}},
    // both
    {"RSA", {.kx = set_of(Kx::rsa), .au = set_of(Au::rsa)}},
    {"DHE", {.kx = set_of(Kx::dhe), .au = kNamed}},
    {"EDH", {.kx = set_of(Kx::dhe), .au = kNamed}},
    {"ECDHE", {.kx = set_of(Kx::ecdhe), .au = kNamed}},
    {"EECDH", {.kx = set_of(Kx::ecdhe), .au = kNamed}},
    {"ADH", {.kx = set_of(Kx::dhe), .au = set_of(Au::none)}},
    {"AECDH", {.kx = set_of(Kx::ecdhe), .au = set_of(Au::none)}},
    // encryption
    {"eNULL", {.enc = kNull}},
    {"NULL", {.enc = kNull}},
    {"AES", {.enc = kAes128 | kAes256}},
    {"AES128", {.enc = kAes128}},
    {"AES256", {.enc = kAes256}},
    {"AESGCM", {.enc = kGcm}},
    {"AESCCM", {.enc = kCcm}},
    {"AESCCM8", {.enc = kCcm8}},
    {"CAMELLIA", {.enc = kCamellia}},
    {"CAMELLIA128", {.enc = set_of(Enc::camellia128_cbc)}},
    {"CAMELLIA256", {.enc = set_of(Enc::camellia256_cbc)}},
    {"CHACHA20", {.enc = set_of(Enc::chacha20)}},
    {"ARIA", {.enc = kAria}},
    {"ARIAGCM", {.enc = kAria}},
    {"ARIA128", {.enc = set_of(Enc::aria128_gcm)}},
    {"ARIA256", {.enc = set_of(Enc::aria256_gcm)}},
    {"CBC", {.enc = kCbc}},
    // authentication of records
    {"MD5", {.mac = set_of(Mac::md5)}},
    {"SHA", {.mac = set_of(Mac::sha1)}},
    {"SHA1", {.mac = set_of(Mac::sha1)}},
    {"SHA256", {.mac = set_of(Mac::sha256)}},
    {"SHA384", {.mac = set_of(Mac::sha384)}},
    // the version that brought a suite
    {"SSLv3", {.since = set_of(Since::ssl3)}},
    {"TLSv1", {.since = set_of(Since::tls1_0)}},
    {"TLSv1.0", {.since = set_of(Since::tls1_0)}},
    {"TLSv1.2", {.since = set_of(Since::tls1_2)}},
});

// Aliases of what OpenSSL 3 is no longer built with, so that they select nothing.
constexpr auto kGone = std::to_array<std::string_view>(
    {"LOW",       "MEDIUM",      "EXP",      "EXPORT", "EXPORT40",      "EXPORT56",
     "SSLv2",     "DES",         "3DES",     "RC2",    "RC4",           "IDEA",
     "SEED",      "kECDH",       "kECDHr",   "kECDHe", "aECDH",         "kDH",
     "kDHr",      "kDHd",        "aDH",      "aECDHr", "kGOST",         "kGOST18",
     "aGOST",     "aGOST01",     "aGOST12",  "GOST94", "GOST89",        "GOST12",
     "GOST89MAC", "GOST89MAC12", "GOST2012", "KRB5",   "kKRB5",         "aKRB5",
     "FZA",       "kFZA",        "aFZA",     "eFZA",   "GOST2012MAGMA", "GOST2012KUZNYECHIK",
     "DSS1024",   "ARIACBC"});

// Parts of the names of suites that went the same way: fixed Diffie-Hellman, and what the aliases
// above stand for.
constexpr auto kGoneParts = std::to_array<std::string_view>(
    {"DES-CBC", "RC4", "RC2-CBC", "IDEA-CBC", "SEED-SHA", "EXP-", "KRB5-", "GOST", "FORTEZZA",
     "ECDH-RSA-", "ECDH-ECDSA-", "DH-RSA-", "DH-DSS-", "DH-anon-"});

bool is_gone(std::string_view name) {
  if (std::ranges::find(kGone, name) != kGone.end()) return true;
  return std::ranges::any_of(kGoneParts, [name](std::string_view part) {
    const auto at = name.find(part);
    return at != std::string_view::npos && (at == 0 || name[at - 1] == '-');
  });
}

bool is_tls13(std::string_view name) {
  return name.starts_with("TLS_") && name.find("_WITH_") == std::string_view::npos;
}

std::optional<Pattern> find_pattern(std::string_view name) {
  for (const Alias& alias : kAliases) {
    if (alias.name == name) return alias.pattern;
  }
  for (const OpensslSuite& suite : openssl_suites()) {
    if (suite.name == name || suite.iana == name) return Pattern{.suite = &suite};
  }
  return std::nullopt;
}

bool is_name_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '=';
}

bool is_separator(char c) { return c == ':' || c == ',' || c == ';' || c == ' '; }

// The list while it is being put together. Every known suite has a place in one sequence; those
// that are chosen are the list, and the places of the others say where they come in when they are
// added: what was taken out last comes in first.
class Selection {
 public:
  Selection() {
    for (const OpensslSuite& suite : openssl_suites()) places_.push_back({&suite, false});
  }

  void add(const Pattern& pattern) {
    to_end([&](const Place& p) { return !p.chosen && pattern.matches(*p.suite); }, true);
  }

  void move_to_end(const Pattern& pattern) {
    to_end([&](const Place& p) { return p.chosen && pattern.matches(*p.suite); }, true);
  }

  void remove(const Pattern& pattern) {
    const auto stays = [&](const Place& p) { return !p.chosen || !pattern.matches(*p.suite); };
    // Not std::ranges: clang 14 cannot read what GCC 12's library returns there.
    const auto removed = std::stable_partition(places_.begin(), places_.end(), stays);
    for (auto place = removed; place != places_.end(); ++place) place->chosen = false;
    std::rotate(places_.begin(), removed, places_.end());
  }

  void remove_for_good(const Pattern& pattern) {
    std::erase_if(places_, [&](const Place& p) { return pattern.matches(*p.suite); });
  }

  void sort_by_strength() {
    for (const int bits : {256, 128, 0}) {
      to_end([&](const Place& p) { return p.chosen && strength_bits(p.suite->enc) == bits; }, true);
    }
  }

  [[nodiscard]] std::vector<const OpensslSuite*> chosen() const {
    std::vector<const OpensslSuite*> suites;
    for (const Place& place : places_) {
      if (place.chosen) suites.push_back(place.suite);
    }
    return suites;
  }

 private:
  struct Place {
    const OpensslSuite* suite;
    bool chosen;
  };

  template <class Moves>
  void to_end(const Moves& moves, bool chosen) {
    const auto moved = std::stable_partition(places_.begin(), places_.end(),
                                             [&](const Place& p) { return !moves(p); });
    for (auto place = moved; place != places_.end(); ++place) place->chosen = chosen;
  }

  std::vector<Place> places_;
};

// Reads a list from left to right, one rule after the other.
class Evaluation {
 public:
  explicit Evaluation(std::string_view list) : rest_(list) {}

  OpensslCipherList run() && {
    read_first_word();
    while (!rest_.empty() && result_.error.empty()) read_rule();
    result_.suites = selection_.chosen();
    name_unsupported();
    return std::move(result_);
  }

 private:
  // Words that have their meaning only at the beginning, whatever follows them.
  void read_first_word() {
    if (starts("DEFAULT")) {
      selection_.add({.enc = kEncrypted});
      selection_.remove_for_good({.enc = kEncrypted, .only_not_default = true});
      selection_.remove_for_good({.enc = kNull});
      if (!rest_.empty() && rest_.front() == ':') rest_.remove_prefix(1);
      return;
    }
    // RFC 6460: the list is replaced as a whole.
    const bool only_128 = starts("SUITEB128ONLY");
    const bool only_192 = !only_128 && starts("SUITEB192");
    if (only_128 || only_192 || starts("SUITEB128C2") || starts("SUITEB128")) {
      for (const std::string_view name :
           {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"}) {
        const bool is_256 = name.find("256-GCM") != std::string_view::npos;
        if (is_256 ? !only_128 : !only_192) selection_.add(find_pattern(name).value_or(Pattern{}));
      }
      rest_ = {};
    }
  }

  bool starts(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  void read_rule() {
    const char first = rest_.front();
    if (is_separator(first)) return rest_.remove_prefix(1);
    const bool has_operator = first == '!' || first == '-' || first == '+' || first == '@';
    if (has_operator) rest_.remove_prefix(1);
    if (first == '@') return read_command();

    const std::string_view start = rest_;
    Pattern pattern;
    bool known = true;
    std::string_view stranger;
    for (;;) {
      const std::string_view name = read_name();
      if (name.empty()) {
        result_.error = "a name was expected at \"" + printable(rest_, 40) + "\"";
        return;
      }
      const auto found = find_pattern(name);
      const bool goes_on = !rest_.empty() && rest_.front() == '+';
      if (!found) {
        known = false;
        stranger = name;
        skip_rule();
        break;
      }
      pattern.narrow(*found);
      if (!goes_on) break;
      rest_.remove_prefix(1);
    }
    const std::string_view text = start.substr(0, start.size() - rest_.size());
    if (!known) return note_unknown(stranger, has_operator);
    switch (first) {
      case '!':
        return selection_.remove_for_good(pattern);
      case '-':
        return selection_.remove(pattern);
      case '+':
        return selection_.move_to_end(pattern);
      default:
        added_.push_back({text, pattern});
        return selection_.add(pattern);
    }
  }

  // "@STRENGTH", "@SECLEVEL=n". OpenSSL skips whatever follows up to the next separator.
  void read_command() {
    const std::string_view name = read_name();
    constexpr std::string_view kLevel = "SECLEVEL=";
    if (name == "STRENGTH") {
      selection_.sort_by_strength();
    } else if (name.starts_with(kLevel) && name.size() == kLevel.size() + 1 && name.back() >= '0' &&
               name.back() <= '5') {
      result_.security_level = name.back() - '0';
    } else {
      result_.error = "\"@" + printable(name, 40) +
                      "\" is not a command; there are @STRENGTH and @SECLEVEL=0 to 5";
    }
    skip_rule();
  }

  std::string_view read_name() {
    const auto end = std::ranges::find_if_not(rest_, is_name_character);
    const auto name = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(name.size());
    return name;
  }

  void skip_rule() {
    const auto end = std::ranges::find_if(rest_, is_separator);
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.begin()));
  }

  void note_unknown(std::string_view name, bool has_operator) {
    if (is_tls13(name)) {
      result_.tls13.emplace_back(name);
    } else if (!has_operator) {
      // "HIGH:MEDIUM" has meant less and less over the years, and nobody misses it.
      if (name != "MEDIUM" && name != "LOW") {
        (is_gone(name) ? result_.unsupported : result_.unknown).emplace_back(name);
      }
    } else if (!is_gone(name)) {
      result_.unknown_excluded.emplace_back(name);
    }
  }

  // Of what was asked for and not excluded elsewhere in the list.
  void name_unsupported() {
    for (const auto& [text, pattern] : added_) {
      bool any = false;
      bool spoken = false;
      for (const OpensslSuite* suite : result_.suites) {
        if (!pattern.matches(*suite)) continue;
        any = true;
        spoken |= suite->spoken;
      }
      if (any && !spoken) result_.unsupported.emplace_back(text);
    }
  }

  struct Added {
    std::string_view text;
    Pattern pattern;
  };

  std::string_view rest_;
  Selection selection_;
  std::vector<Added> added_;
  OpensslCipherList result_;
};

}  // namespace

OpensslCipherList evaluate_openssl_ciphers(std::string_view list) { return Evaluation(list).run(); }

bool is_allowed_at(int security_level, const OpensslSuite& suite) {
  constexpr std::array kBits = {0, 80, 112, 128, 192, 256};
  if (security_level <= 0) return true;
  const int bits = kBits[static_cast<std::size_t>(std::min(security_level, 5))];
  if (strength_bits(suite.enc) < bits) return false;
  if (suite.au == Au::none || suite.mac == Mac::md5) return false;
  if (suite.mac == Mac::sha1 && bits > 160) return false;
  constexpr unsigned kForwardSecret = set_of(Kx::ecdhe, Kx::dhe, Kx::ecdhe_psk, Kx::dhe_psk);
  return security_level < 3 || has(kForwardSecret, suite.kx);
}

}  // namespace tunnel::import
