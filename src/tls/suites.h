// SPDX-License-Identifier: MIT
// Cipher suites and groups by their IANA names, and what GnuTLS calls their parts. Pure; any
// thread.
#pragma once

#include <gnutls/gnutls.h>

#include <string>
#include <string_view>
#include <vector>

namespace tunnel::tls {

struct Suite {
  std::string name;  // "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
  gnutls_kx_algorithm_t kx = GNUTLS_KX_UNKNOWN;
  gnutls_cipher_algorithm_t cipher = GNUTLS_CIPHER_UNKNOWN;
  gnutls_mac_algorithm_t mac = GNUTLS_MAC_UNKNOWN;
  gnutls_protocol_t min_version = GNUTLS_VERSION_UNKNOWN;

  // With a pre-shared key and without a certificate. In TLS 1.3 the key does not depend on the
  // suite, but its hash must be SHA-256 (RFC 8446 section 4.2.11; GnuTLS offers no other).
  [[nodiscard]] bool is_for_psk() const;
  [[nodiscard]] bool is_tls13() const { return min_version == GNUTLS_TLS1_3; }
};

// Every suite of this GnuTLS that a client should ever accept: no NULL, no anonymous, no RC4, SRP,
// DSS or GOST.
[[nodiscard]] std::vector<Suite> known_suites();

// The default of the `ciphers` key, in order of preference; with CBC-SHA1 for versions below 1.2.
enum class OldVersions { no, yes };
// What is put before them when there is a pre-shared key, with forward secrecy.
[[nodiscard]] std::vector<std::string> default_psk_suites(OldVersions old_versions);
[[nodiscard]] std::vector<std::string> default_suites(OldVersions old_versions);

struct Group {
  std::string name;  // "x25519", "secp256r1": as IANA writes it
  gnutls_group_t id = GNUTLS_GROUP_INVALID;
};
[[nodiscard]] std::vector<Group> known_groups();

}  // namespace tunnel::tls
