// SPDX-License-Identifier: MIT
#include "tls/suites.h"

#include <algorithm>
#include <cctype>

namespace tunnel::tls {
namespace {

bool is_acceptable(gnutls_kx_algorithm_t kx, gnutls_cipher_algorithm_t cipher) {
  switch (cipher) {
    case GNUTLS_CIPHER_NULL:
    case GNUTLS_CIPHER_ARCFOUR_128:
      return false;
    default:
      break;
  }
  switch (kx) {
    case GNUTLS_KX_UNKNOWN:  // TLS 1.3: the group says how keys are exchanged
    case GNUTLS_KX_RSA:
    case GNUTLS_KX_DHE_RSA:
    case GNUTLS_KX_ECDHE_RSA:
    case GNUTLS_KX_ECDHE_ECDSA:
    case GNUTLS_KX_PSK:
    case GNUTLS_KX_DHE_PSK:
    case GNUTLS_KX_ECDHE_PSK:
    case GNUTLS_KX_RSA_PSK:
      return true;
    default:
      return false;
  }
}

// GnuTLS's names lack the "WITH", write SHA1 for SHA, and leave ChaCha20's hash out.
std::string iana_name(std::string name, gnutls_kx_algorithm_t kx) {
  if (kx != GNUTLS_KX_UNKNOWN) {
    std::string exchange = gnutls_kx_get_name(kx);
    std::replace(exchange.begin(), exchange.end(), '-', '_');
    const std::string prefix = "TLS_" + exchange + "_";
    if (name.starts_with(prefix)) {
      const auto rest = name.substr(prefix.size());
      // RFC 6655 named two suites the other way round.
      const bool reversed = kx == GNUTLS_KX_DHE_PSK && rest.ends_with("_CCM_8");
      name = (reversed ? "TLS_PSK_DHE_WITH_" : prefix + "WITH_") + rest;
    }
    if (name.ends_with("_CHACHA20_POLY1305")) name += "_SHA256";
  }
  if (name.ends_with("_SHA1")) name.pop_back();
  return name;
}

}  // namespace

bool Suite::is_for_psk() const {
  if (is_tls13()) return name.ends_with("_SHA256");
  return kx == GNUTLS_KX_PSK || kx == GNUTLS_KX_DHE_PSK || kx == GNUTLS_KX_ECDHE_PSK;
}

std::vector<Suite> known_suites() {
  std::vector<Suite> suites;
  for (std::size_t i = 0;; ++i) {
    unsigned char id[2];
    Suite suite;
    const char* name =
        gnutls_cipher_suite_info(i, id, &suite.kx, &suite.cipher, &suite.mac, &suite.min_version);
    if (name == nullptr) return suites;
    if (!is_acceptable(suite.kx, suite.cipher)) continue;
    suite.name = iana_name(name, suite.kx);
    suites.push_back(std::move(suite));
  }
}

// AES-128-GCM first: its key schedule hashes with SHA-256, which processors accelerate. ChaCha20
// last of the modern ones: the library's is many times slower than AES with hardware support. CBC
// with SHA-2 is what is left on old Windows servers.
std::vector<std::string> default_suites(OldVersions old_versions) {
  std::vector<std::string> names = {
      "TLS_AES_128_GCM_SHA256",
      "TLS_AES_256_GCM_SHA384",
      "TLS_CHACHA20_POLY1305_SHA256",
      "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
      "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
      "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
      "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
      "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
      "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
      "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
      "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
      "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
      "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
  };
  if (old_versions == OldVersions::yes) {
    for (const char* name :
         {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
          "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"}) {
      names.emplace_back(name);
    }
  }
  return names;
}

// There is no ECDHE_PSK with AES-GCM that both GnuTLS and OpenSSL know.
std::vector<std::string> default_psk_suites(OldVersions old_versions) {
  std::vector<std::string> names = {
      "TLS_AES_128_GCM_SHA256",
      "TLS_CHACHA20_POLY1305_SHA256",
      "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256",
      "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256",
      "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384",
  };
  if (old_versions == OldVersions::yes) {
    for (const char* name :
         {"TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA", "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA"}) {
      names.emplace_back(name);
    }
  }
  return names;
}

std::vector<Group> known_groups() {
  std::vector<Group> groups;
  for (const auto* id = gnutls_group_list(); *id != GNUTLS_GROUP_INVALID; ++id) {
    std::string name = gnutls_group_get_name(*id);
    // Below 112 bits of strength, and the GOST curves.
    if (name == "SECP192R1" || name.starts_with("GC")) continue;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    groups.push_back({std::move(name), *id});
  }
  return groups;
}

}  // namespace tunnel::tls
