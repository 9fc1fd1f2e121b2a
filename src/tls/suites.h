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

  [[nodiscard]] bool is_tls13() const { return min_version == GNUTLS_TLS1_3; }
};

// Every suite of this GnuTLS that a client should ever accept: no NULL, no anonymous, no RC4, SRP,
// DSS or GOST.
[[nodiscard]] std::vector<Suite> known_suites();

// The default of the `ciphers` key, in order of preference; with CBC-SHA1 for versions below 1.2.
enum class OldVersions { no, yes };
[[nodiscard]] std::vector<std::string> default_suites(OldVersions old_versions);

struct Group {
  std::string name;  // "x25519", "secp256r1": as IANA writes it
  gnutls_group_t id = GNUTLS_GROUP_INVALID;
};
[[nodiscard]] std::vector<Group> known_groups();

}  // namespace tunnel::tls
