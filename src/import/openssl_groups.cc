// SPDX-License-Identifier: MIT
// Groups and the suites of TLS 1.3: plain lists of names.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "import/openssl_names.h"

namespace tunnel::import {
namespace {

struct Group {
  std::string_view openssl;
  std::string_view iana;  // "" when it is not spoken here
};

// OpenSSL's names and the aliases that it takes; NIST's are matched in any case, and so are all
// here.
constexpr auto kGroups = std::to_array<Group>({
    {"X25519", "x25519"},
    {"X448", "x448"},
    {"P-256", "secp256r1"},
    {"prime256v1", "secp256r1"},
    {"secp256r1", "secp256r1"},
    {"P-384", "secp384r1"},
    {"secp384r1", "secp384r1"},
    {"P-521", "secp521r1"},
    {"secp521r1", "secp521r1"},
    {"P-224", "secp224r1"},
    {"secp224r1", "secp224r1"},
    {"ffdhe2048", "ffdhe2048"},
    {"ffdhe3072", "ffdhe3072"},
    {"ffdhe4096", "ffdhe4096"},
    {"ffdhe6144", "ffdhe6144"},
    {"ffdhe8192", "ffdhe8192"},
    // Too weak, or not in GnuTLS.
    {"P-192", ""},
    {"prime192v1", ""},
    {"secp192r1", ""},
    {"secp160k1", ""},
    {"secp160r1", ""},
    {"secp160r2", ""},
    {"secp192k1", ""},
    {"secp224k1", ""},
    {"secp256k1", ""},
    {"brainpoolP256r1", ""},
    {"brainpoolP384r1", ""},
    {"brainpoolP512r1", ""},
    {"brainpoolP256r1tls13", ""},
    {"brainpoolP384r1tls13", ""},
    {"brainpoolP512r1tls13", ""},
    {"B-163", ""},
    {"B-233", ""},
    {"B-283", ""},
    {"B-409", ""},
    {"B-571", ""},
    {"K-163", ""},
    {"K-233", ""},
    {"K-283", ""},
    {"K-409", ""},
    {"K-571", ""},
    {"sect163k1", ""},
    {"sect163r1", ""},
    {"sect163r2", ""},
    {"sect193r1", ""},
    {"sect193r2", ""},
    {"sect233k1", ""},
    {"sect233r1", ""},
    {"sect239k1", ""},
    {"sect283k1", ""},
    {"sect283r1", ""},
    {"sect409k1", ""},
    {"sect409r1", ""},
    {"sect571k1", ""},
    {"sect571r1", ""},
    {"MLKEM512", ""},
    {"MLKEM768", ""},
    {"MLKEM1024", ""},
    {"X25519MLKEM768", ""},
    {"X448MLKEM1024", ""},
    {"SecP256r1MLKEM768", ""},
    {"SecP384r1MLKEM1024", ""},
    {"curveSM2", ""},
    {"SM2", ""},
});

constexpr auto kCiphersuites = std::to_array<std::string_view>({
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_CCM_SHA256",
    "TLS_AES_128_CCM_8_SHA256",
});

std::vector<std::string_view> split(std::string_view list) {
  std::vector<std::string_view> words;
  while (!list.empty()) {
    const auto end = std::min(list.find(':'), list.size());
    auto word = list.substr(0, end);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (!word.empty()) words.push_back(word);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return words;
}

void add_once(std::vector<std::string>& names, std::string_view name) {
  if (std::ranges::find(names, name) == names.end()) names.emplace_back(name);
}

}  // namespace

OpensslGroups translate_openssl_groups(std::string_view list) {
  OpensslGroups result;
  for (std::string_view word : split(list)) {
    // OpenSSL 3.5: '?' passes over what is not known, '*' asks for a key share.
    bool may_be_missing = false;
    while (word.starts_with('?') || word.starts_with('*')) {
      may_be_missing |= word.front() == '?';
      word.remove_prefix(1);
    }
    const auto found = std::ranges::find_if(
        kGroups, [word](const Group& group) { return equal_ignoring_case(group.openssl, word); });
    if (found != kGroups.end() && !found->iana.empty()) {
      add_once(result.names, found->iana);
    } else if (!may_be_missing) {
      add_once(found == kGroups.end() ? result.unknown : result.unsupported, word);
    }
  }
  return result;
}

OpensslCiphersuites translate_openssl_ciphersuites(std::string_view list) {
  OpensslCiphersuites result;
  for (const std::string_view word : split(list)) {
    const bool known = std::ranges::find(kCiphersuites, word) != kCiphersuites.end();
    add_once(known ? result.names : result.unknown, word);
  }
  return result;
}

}  // namespace tunnel::import
