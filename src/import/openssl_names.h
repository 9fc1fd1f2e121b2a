// SPDX-License-Identifier: MIT
// What stunnel.conf says about TLS in OpenSSL's words, in ours: versions, cipher suites, groups and
// strength. The rule: what has no counterpart narrows what is accepted, with a note, or is an
// error; it never widens it. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "import/openssl_notes.h"

namespace tunnel::import {

[[nodiscard]] bool is_openssl_setting(std::string_view key);

// How a section can prove who the server is: suites that need another way are of no use to it.
enum class OpensslProof { certificates, psk, both };

// Versions and strength that are not set stay at our own default; the lists are always set, to
// stunnel's own default if need be: it decides who can be talked to.
struct OpensslTranslation {
  std::optional<config::TlsVersion> min_version, max_version;
  std::vector<std::string> ciphers;  // tls.ciphers: IANA names of TLS 1.3's suites, then the older
  std::vector<std::string> groups;   // tls.groups
  std::optional<config::MinStrength> min_strength;
  bool no_resumption = false;
  std::vector<OpensslNote> notes;  // in the order of the settings

  [[nodiscard]] bool has_errors() const;
  // Writes what is set.
  void apply(config::Tls& tls) const;
};

// The settings of one section in the order in which stunnel reads them: the global ones first. The
// last one of a key holds; `options` and `config` add up.
[[nodiscard]] OpensslTranslation translate_openssl(std::span<const OpensslSetting> settings,
                                                   OpensslProof proof = OpensslProof::certificates);

// A list such as "X25519:P-256:secp384r1".
struct OpensslGroups {
  std::vector<std::string> names;        // as IANA writes them
  std::vector<std::string> unsupported;  // known to OpenSSL, not spoken here
  std::vector<std::string> unknown;
};
[[nodiscard]] OpensslGroups translate_openssl_groups(std::string_view list);

// A list such as "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", for TLS 1.3.
struct OpensslCiphersuites {
  std::vector<std::string> names;
  std::vector<std::string> unknown;
};
[[nodiscard]] OpensslCiphersuites translate_openssl_ciphersuites(std::string_view list);

}  // namespace tunnel::import
