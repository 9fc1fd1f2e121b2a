// SPDX-License-Identifier: MIT
#include "import/openssl_patterns.h"

#include <algorithm>
#include <array>

namespace tunnel::import {
namespace {

using Kx = OpensslKx;
using Au = OpensslAu;
using Enc = OpensslEnc;
using Mac = OpensslMac;
using Since = OpensslSince;

constexpr OpensslSet kGcm = openssl_set(Enc::aes128_gcm, Enc::aes256_gcm);
constexpr OpensslSet kCcm8 = openssl_set(Enc::aes128_ccm8, Enc::aes256_ccm8);
constexpr OpensslSet kCcm = openssl_set(Enc::aes128_ccm, Enc::aes256_ccm) | kCcm8;
constexpr OpensslSet kAes128 =
    openssl_set(Enc::aes128_cbc, Enc::aes128_gcm, Enc::aes128_ccm, Enc::aes128_ccm8);
constexpr OpensslSet kAes256 =
    openssl_set(Enc::aes256_cbc, Enc::aes256_gcm, Enc::aes256_ccm, Enc::aes256_ccm8);
constexpr OpensslSet kCamellia = openssl_set(Enc::camellia128_cbc, Enc::camellia256_cbc);
constexpr OpensslSet kAria = openssl_set(Enc::aria128_gcm, Enc::aria256_gcm);
constexpr OpensslSet kCbc = openssl_set(Enc::aes128_cbc, Enc::aes256_cbc) | kCamellia;
constexpr OpensslSet kPskKx = openssl_set(Kx::psk, Kx::rsa_psk, Kx::dhe_psk, Kx::ecdhe_psk);
constexpr OpensslSet kNamed = kAnyOpenssl & ~openssl_set(Au::none);

struct Alias {
  std::string_view name;
  OpensslPattern pattern;
};

constexpr auto kAliases = std::to_array<Alias>({
    {"ALL", {.enc = kEncryption}},
    {"COMPLEMENTOFALL", {.enc = kNoEncryption}},
    {"COMPLEMENTOFDEFAULT", {.enc = kEncryption, .only_not_default = true}},
    {"HIGH", {.enc = kEncryption}},  // whatever is still built in
    {"FIPS", {.only_fips = true}},
    // key exchange
    {"kRSA", {.kx = openssl_set(Kx::rsa)}},
    {"kDHE", {.kx = openssl_set(Kx::dhe)}},
    {"kEDH", {.kx = openssl_set(Kx::dhe)}},
    {"DH", {.kx = openssl_set(Kx::dhe)}},
    {"kECDHE", {.kx = openssl_set(Kx::ecdhe)}},
    {"kEECDH", {.kx = openssl_set(Kx::ecdhe)}},
    {"ECDH", {.kx = openssl_set(Kx::ecdhe)}},
    {"kPSK", {.kx = openssl_set(Kx::psk)}},
    {"kRSAPSK", {.kx = openssl_set(Kx::rsa_psk)}},
    {"kDHEPSK", {.kx = openssl_set(Kx::dhe_psk)}},
    {"kECDHEPSK", {.kx = openssl_set(Kx::ecdhe_psk)}},
    {"PSK", {.kx = kPskKx}},
    {"kSRP", {.kx = openssl_set(Kx::srp)}},
    {"SRP", {.kx = openssl_set(Kx::srp)}},
    // authentication
    {"aRSA", {.au = openssl_set(Au::rsa)}},
    {"aECDSA", {.au = openssl_set(Au::ecdsa)}},
    {"ECDSA", {.au = openssl_set(Au::ecdsa)}},
    {"aDSS", {.au = openssl_set(Au::dss)}},
    {"DSS", {.au = openssl_set(Au::dss)}},
    {"aPSK", {.au = openssl_set(Au::psk)}},
    {"aSRP", {.au = openssl_set(Au::srp)}},
    {"aNULL", {.au = openssl_set(Au::none)}},
    // both
    // DHE and ECDHE leave anonymous suites to ADH and AECDH, which kDHE and kECDHE do not.
    {"RSA", {.kx = openssl_set(Kx::rsa), .au = openssl_set(Au::rsa)}},
    {"DHE", {.kx = openssl_set(Kx::dhe), .au = kNamed}},
    {"EDH", {.kx = openssl_set(Kx::dhe), .au = kNamed}},
    {"ECDHE", {.kx = openssl_set(Kx::ecdhe), .au = kNamed}},
    {"EECDH", {.kx = openssl_set(Kx::ecdhe), .au = kNamed}},
    {"ADH", {.kx = openssl_set(Kx::dhe), .au = openssl_set(Au::none)}},
    {"AECDH", {.kx = openssl_set(Kx::ecdhe), .au = openssl_set(Au::none)}},
    // encryption
    {"eNULL", {.enc = kNoEncryption}},
    {"NULL", {.enc = kNoEncryption}},
    {"AES", {.enc = kAes128 | kAes256}},
    {"AES128", {.enc = kAes128}},
    {"AES256", {.enc = kAes256}},
    {"AESGCM", {.enc = kGcm}},
    {"AESCCM", {.enc = kCcm}},
    {"AESCCM8", {.enc = kCcm8}},
    {"CAMELLIA", {.enc = kCamellia}},
    {"CAMELLIA128", {.enc = openssl_set(Enc::camellia128_cbc)}},
    {"CAMELLIA256", {.enc = openssl_set(Enc::camellia256_cbc)}},
    {"CHACHA20", {.enc = openssl_set(Enc::chacha20)}},
    {"ARIA", {.enc = kAria}},
    {"ARIAGCM", {.enc = kAria}},
    {"ARIA128", {.enc = openssl_set(Enc::aria128_gcm)}},
    {"ARIA256", {.enc = openssl_set(Enc::aria256_gcm)}},
    {"CBC", {.enc = kCbc}},
    // authentication of records
    {"MD5", {.mac = openssl_set(Mac::md5)}},
    {"SHA", {.mac = openssl_set(Mac::sha1)}},
    {"SHA1", {.mac = openssl_set(Mac::sha1)}},
    {"SHA256", {.mac = openssl_set(Mac::sha256)}},
    {"SHA384", {.mac = openssl_set(Mac::sha384)}},
    // the version that brought a suite
    {"SSLv3", {.since = openssl_set(Since::ssl3)}},
    {"TLSv1", {.since = openssl_set(Since::tls1_0)}},
    {"TLSv1.0", {.since = openssl_set(Since::tls1_0)}},
    {"TLSv1.2", {.since = openssl_set(Since::tls1_2)}},
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

}  // namespace

bool is_gone_from_openssl(std::string_view name) {
  if (std::ranges::find(kGone, name) != kGone.end()) return true;
  return std::ranges::any_of(kGoneParts, [name](std::string_view part) {
    const auto at = name.find(part);
    return at != std::string_view::npos && (at == 0 || name[at - 1] == '-');
  });
}

std::optional<OpensslPattern> find_openssl_pattern(std::string_view name) {
  for (const Alias& alias : kAliases) {
    if (alias.name == name) return alias.pattern;
  }
  for (const OpensslSuite& suite : openssl_suites()) {
    if (suite.name == name || suite.iana == name) return OpensslPattern{.suite = &suite};
  }
  return std::nullopt;
}

}  // namespace tunnel::import
