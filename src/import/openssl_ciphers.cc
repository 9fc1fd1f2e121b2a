// SPDX-License-Identifier: MIT
#include "import/openssl_ciphers.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "import/openssl_patterns.h"

namespace tunnel::import {
namespace {

using Kx = OpensslKx;
using Au = OpensslAu;
using Mac = OpensslMac;

bool is_tls13(std::string_view name) {
  return name.starts_with("TLS_") && name.find("_WITH_") == std::string_view::npos;
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

  void add(const OpensslPattern& pattern) {
    to_end([&](const Place& p) { return !p.chosen && pattern.matches(*p.suite); }, true);
  }

  void move_to_end(const OpensslPattern& pattern) {
    to_end([&](const Place& p) { return p.chosen && pattern.matches(*p.suite); }, true);
  }

  void remove(const OpensslPattern& pattern) {
    const auto stays = [&](const Place& p) { return !p.chosen || !pattern.matches(*p.suite); };
    // Not std::ranges: clang 14 cannot read what GCC 12's library returns there.
    const auto removed = std::stable_partition(places_.begin(), places_.end(), stays);
    for (auto place = removed; place != places_.end(); ++place) place->chosen = false;
    std::rotate(places_.begin(), removed, places_.end());
  }

  void remove_for_good(const OpensslPattern& pattern) {
    std::erase_if(places_, [&](const Place& p) { return pattern.matches(*p.suite); });
  }

  // The weakest are moved to the end last; the order within one strength stays.
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
    // OpenSSL puts "ALL:!COMPLEMENTOFDEFAULT:!eNULL" in its place, so what is not in the default
    // cannot be added by the rest of the list either.
    if (starts("DEFAULT")) {
      selection_.add({.enc = kEncryption});
      selection_.remove_for_good({.enc = kEncryption, .only_not_default = true});
      selection_.remove_for_good({.enc = kNoEncryption});
      if (!rest_.empty() && rest_.front() == ':') rest_.remove_prefix(1);
      return;
    }
    // RFC 6460: the list is replaced as a whole. Longer words first, for each begins with a shorter
    // one.
    const bool only_128 = starts("SUITEB128ONLY");
    const bool only_192 = !only_128 && starts("SUITEB192");
    if (only_128 || only_192 || starts("SUITEB128C2") || starts("SUITEB128")) {
      for (const std::string_view name :
           {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"}) {
        const bool is_256 = name.find("256-GCM") != std::string_view::npos;
        if (is_256 ? !only_128 : !only_192) {
          selection_.add(find_openssl_pattern(name).value_or(OpensslPattern{}));
        }
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
    OpensslPattern pattern;
    bool known = true;
    std::string_view stranger;
    for (;;) {
      const std::string_view name = read_name();
      if (name.empty()) {
        result_.error = "a name was expected at \"" + printable(rest_, 40) + "\"";
        return;
      }
      const auto found = find_openssl_pattern(name);
      const bool goes_on = !rest_.empty() && rest_.front() == '+';
      if (!found) {
        // One unknown part makes OpenSSL pass over the whole rule, whatever the others are.
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
        (is_gone_from_openssl(name) ? result_.unsupported : result_.unknown).emplace_back(name);
      }
    } else if (!is_gone_from_openssl(name)) {
      result_.unknown_excluded.emplace_back(name);
    }
  }

  // Of what was asked for and not excluded elsewhere in the list.
  void name_unsupported() {
    // A rule is reported only when nothing of it is left that can be spoken: "HIGH" selects many
    // suites that GnuTLS lacks, and that is no news.
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
    OpensslPattern pattern;
  };

  std::string_view rest_;
  Selection selection_;
  std::vector<Added> added_;
  OpensslCipherList result_;
};

}  // namespace

OpensslCipherList evaluate_openssl_ciphers(std::string_view list) { return Evaluation(list).run(); }

bool is_allowed_at(int security_level, const OpensslSuite& suite) {
  // The rules of OpenSSL's ssl_security_default_callback(). HMAC with SHA-1 counts as 160 bits
  // there.
  constexpr std::array kBits = {0, 80, 112, 128, 192, 256};
  if (security_level <= 0) return true;
  const int bits = kBits[static_cast<std::size_t>(std::min(security_level, 5))];
  if (strength_bits(suite.enc) < bits) return false;
  if (suite.au == Au::none || suite.mac == Mac::md5) return false;
  if (suite.mac == Mac::sha1 && bits > 160) return false;
  constexpr unsigned kForwardSecret = openssl_set(Kx::ecdhe, Kx::dhe, Kx::ecdhe_psk, Kx::dhe_psk);
  return security_level < 3 || has(kForwardSecret, suite.kx);
}

}  // namespace tunnel::import
