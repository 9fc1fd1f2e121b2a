// SPDX-License-Identifier: MIT
// The cipher suites of TLS 1.2 and older that OpenSSL 3 knows, under its names and IANA's. Facts as
// `openssl ciphers -stdname -V ALL:COMPLEMENTOFALL` prints them. Constant data, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tunnel::import {

enum class OpensslKx : std::uint8_t { ecdhe, dhe, rsa, psk, rsa_psk, dhe_psk, ecdhe_psk, srp };
enum class OpensslAu : std::uint8_t { ecdsa, rsa, dss, psk, srp, none };
enum class OpensslEnc : std::uint8_t {
  null,
  aes128_cbc,
  aes256_cbc,
  aes128_gcm,
  aes256_gcm,
  aes128_ccm,
  aes256_ccm,
  aes128_ccm8,
  aes256_ccm8,
  camellia128_cbc,
  camellia256_cbc,
  chacha20,
  aria128_gcm,
  aria256_gcm,
};
enum class OpensslMac : std::uint8_t { aead, md5, sha1, sha256, sha384 };
// The oldest version that a suite can be used with.
enum class OpensslSince : std::uint8_t { ssl3, tls1_0, tls1_2 };

struct OpensslSuite {
  std::string_view name;  // "ECDHE-RSA-AES128-GCM-SHA256"
  std::string_view iana;  // "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
  OpensslKx kx;
  OpensslAu au;
  OpensslEnc enc;
  OpensslMac mac;
  OpensslSince since;
  bool in_default;  // not in OpenSSL's COMPLEMENTOFDEFAULT
  bool fips;
  // Known to GnuTLS, and one that a client should ever accept: no NULL, anonymous, DSS or SRP.
  bool spoken;
};

// In the order in which OpenSSL adds suites to a list: the strong and the ephemeral ones first.
[[nodiscard]] std::span<const OpensslSuite> openssl_suites();

// Bits of the encryption's key; 0 for none.
[[nodiscard]] int strength_bits(OpensslEnc enc);

}  // namespace tunnel::import
