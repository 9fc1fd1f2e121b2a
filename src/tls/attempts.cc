// SPDX-License-Identifier: MIT
#include "tls/attempts.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "tls/min_strength.h"
#include "tls/products.h"

namespace tunnel::tls {
namespace {

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

// More servers than a handful differ from a list that needs more: those get no suite of the rest.
constexpr std::size_t kMostParts = 8;

// Turns lists into priority strings.
class Attempts {
 public:
  Attempts(const config::Tls& tls, const Choice& choice, x509::Problems& problems)
      : tls_(tls),
        suites_(choice.suites),
        versions_(choice.versions),
        problems_(problems),
        known_(known_suites()) {
    for (const auto& group : choice.groups) {
      curves_.add(std::string("GROUP-") + gnutls_group_get_name(group.id));
    }
  }

  // The first attempt offers everything, which nearly every server answers with a suite of the
  // list. The others are for servers that have chosen one that was offered only because GnuTLS
  // makes products: TLS 1.3 alone, or the older versions alone in parts that are exact.
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
    if (!modern.empty() && is_wider(Attempt::Scope::tls13)) {
      add(Attempt::Scope::tls13, tls13, modern);
    }
    if (!old.empty() && is_wider(Attempt::Scope::older)) {
      for (const auto& part : exact_parts(older, known_, range_of(old), kMostParts)) {
        add(Attempt::Scope::older, part, old);
      }
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
    // All that NORMAL lists is taken out again; what stays of it are the signature algorithms.
    std::string text = "NORMAL" + names.replacing("VERS-ALL") + ciphers.replacing("CIPHER-ALL") +
                       macs.replacing("MAC-ALL") + exchanges.replacing("KX-ALL") +
                       curves_.replacing("GROUP-ALL");
    // TLS 1.0 and 1.1 know no other signature of a key exchange than one with SHA-1.
    if (tls_.min_version >= config::TlsVersion::tls1_2) text += ":-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1";
    return text + strength_tokens(tls_.min_strength);
  }

  const config::Tls& tls_;
  const std::vector<Suite>& suites_;
  const std::vector<Version>& versions_;
  x509::Problems& problems_;
  const std::vector<Suite> known_;
  TokenList curves_;
  std::vector<Attempt> attempts_;
};

}  // namespace

std::vector<Attempt> make_attempts(const config::Tls& tls, const Choice& choice,
                                   x509::Problems& problems) {
  return Attempts(tls, choice, problems).run();
}

}  // namespace tunnel::tls
