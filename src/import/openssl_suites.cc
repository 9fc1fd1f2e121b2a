// SPDX-License-Identifier: MIT
#include "import/openssl_suites.h"

#include <array>

namespace tunnel::import {
namespace {

using Kx = OpensslKx;
using Au = OpensslAu;
using Enc = OpensslEnc;
using Mac = OpensslMac;
using Since = OpensslSince;

// The last three columns: part of DEFAULT, part of FIPS, spoken here.
// clang-format off
constexpr auto kSuites = std::to_array<OpensslSuite>({
    {"ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Kx::ecdhe, Au::ecdsa, Enc::aes256_gcm, Mac::aead, Since::tls1_2, true, true, true},
    {"ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", Kx::ecdhe, Au::rsa, Enc::aes256_gcm, Mac::aead, Since::tls1_2, true, true, true},
    {"DHE-DSS-AES256-GCM-SHA384", "TLS_DHE_DSS_WITH_AES_256_GCM_SHA384", Kx::dhe, Au::dss, Enc::aes256_gcm, Mac::aead, Since::tls1_2, false, true, false},
    {"DHE-RSA-AES256-GCM-SHA384", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", Kx::dhe, Au::rsa, Enc::aes256_gcm, Mac::aead, Since::tls1_2, true, true, true},
    {"ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", Kx::ecdhe, Au::ecdsa, Enc::chacha20, Mac::aead, Since::tls1_2, true, false, true},
    {"ECDHE-RSA-CHACHA20-POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", Kx::ecdhe, Au::rsa, Enc::chacha20, Mac::aead, Since::tls1_2, true, false, true},
    {"DHE-RSA-CHACHA20-POLY1305", "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", Kx::dhe, Au::rsa, Enc::chacha20, Mac::aead, Since::tls1_2, true, false, true},
    {"ECDHE-ECDSA-AES256-CCM8", "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8", Kx::ecdhe, Au::ecdsa, Enc::aes256_ccm8, Mac::aead, Since::tls1_2, false, false, true},
    {"ECDHE-ECDSA-AES256-CCM", "TLS_ECDHE_ECDSA_WITH_AES_256_CCM", Kx::ecdhe, Au::ecdsa, Enc::aes256_ccm, Mac::aead, Since::tls1_2, false, false, true},
    {"DHE-RSA-AES256-CCM8", "TLS_DHE_RSA_WITH_AES_256_CCM_8", Kx::dhe, Au::rsa, Enc::aes256_ccm8, Mac::aead, Since::tls1_2, false, false, true},
    {"DHE-RSA-AES256-CCM", "TLS_DHE_RSA_WITH_AES_256_CCM", Kx::dhe, Au::rsa, Enc::aes256_ccm, Mac::aead, Since::tls1_2, false, false, true},
    {"ECDHE-ECDSA-ARIA256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_ARIA_256_GCM_SHA384", Kx::ecdhe, Au::ecdsa, Enc::aria256_gcm, Mac::aead, Since::tls1_2, false, false, false},
    {"ECDHE-ARIA256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_ARIA_256_GCM_SHA384", Kx::ecdhe, Au::rsa, Enc::aria256_gcm, Mac::aead, Since::tls1_2, false, false, false},
    {"DHE-DSS-ARIA256-GCM-SHA384", "TLS_DHE_DSS_WITH_ARIA_256_GCM_SHA384", Kx::dhe, Au::dss, Enc::aria256_gcm, Mac::aead, Since::tls1_2, false, false, false},
    {"DHE-RSA-ARIA256-GCM-SHA384", "TLS_DHE_RSA_WITH_ARIA_256_GCM_SHA384", Kx::dhe, Au::rsa, Enc::aria256_gcm, Mac::aead, Since::tls1_2, false, false, false},
    {"ADH-AES256-GCM-SHA384", "TLS_DH_anon_WITH_AES_256_GCM_SHA384", Kx::dhe, Au::none, Enc::aes256_gcm, Mac::aead, Since::tls1_2, false, true, false},
    {"ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Kx::ecdhe, Au::ecdsa, Enc::aes128_gcm, Mac::aead, Since::tls1_2, true, true, true},
    {"ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Kx::ecdhe, Au::rsa, Enc::aes128_gcm, Mac::aead, Since::tls1_2, true, true, true},
    {"DHE-DSS-AES128-GCM-SHA256", "TLS_DHE_DSS_WITH_AES_128_GCM_SHA256", Kx::dhe, Au::dss, Enc::aes128_gcm, Mac::aead, Since::tls1_2, false, true, false},
    {"DHE-RSA-AES128-GCM-SHA256", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", Kx::dhe, Au::rsa, Enc::aes128_gcm, Mac::aead, Since::tls1_2, true, true, true},
    {"ECDHE-ECDSA-AES128-CCM8", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", Kx::ecdhe, Au::ecdsa, Enc::aes128_ccm8, Mac::aead, Since::tls1_2, false, false, true},
    {"ECDHE-ECDSA-AES128-CCM", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", Kx::ecdhe, Au::ecdsa, Enc::aes128_ccm, Mac::aead, Since::tls1_2, false, false, true},
    {"DHE-RSA-AES128-CCM8", "TLS_DHE_RSA_WITH_AES_128_CCM_8", Kx::dhe, Au::rsa, Enc::aes128_ccm8, Mac::aead, Since::tls1_2, false, false, true},
    {"DHE-RSA-AES128-CCM", "TLS_DHE_RSA_WITH_AES_128_CCM", Kx::dhe, Au::rsa, Enc::aes128_ccm, Mac::aead, Since::tls1_2, false, false, true},
    {"ECDHE-ECDSA-ARIA128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_ARIA_128_GCM_SHA256", Kx::ecdhe, Au::ecdsa, Enc::aria128_gcm, Mac::aead, Since::tls1_2, false, false, false},
    {"ECDHE-ARIA128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256", Kx::ecdhe, Au::rsa, Enc::aria128_gcm, Mac::aead, Since::tls1_2, false, false, false},
    {"DHE-DSS-ARIA128-GCM-SHA256", "TLS_DHE_DSS_WITH_ARIA_128_GCM_SHA256", Kx::dhe, Au::dss, Enc::aria128_gcm, Mac::aead, Since::tls1_2, false, false, false},
    {"DHE-RSA-ARIA128-GCM-SHA256", "TLS_DHE_RSA_WITH_ARIA_128_GCM_SHA256", Kx::dhe, Au::rsa, Enc::aria128_gcm, Mac::aead, Since::tls1_2, false, false, false},
    {"ADH-AES128-GCM-SHA256", "TLS_DH_anon_WITH_AES_128_GCM_SHA256", Kx::dhe, Au::none, Enc::aes128_gcm, Mac::aead, Since::tls1_2, false, true, false},
    {"ECDHE-ECDSA-AES256-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", Kx::ecdhe, Au::ecdsa, Enc::aes256_cbc, Mac::sha384, Since::tls1_2, true, true, true},
    {"ECDHE-RSA-AES256-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", Kx::ecdhe, Au::rsa, Enc::aes256_cbc, Mac::sha384, Since::tls1_2, true, true, true},
    {"DHE-RSA-AES256-SHA256", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", Kx::dhe, Au::rsa, Enc::aes256_cbc, Mac::sha256, Since::tls1_2, true, true, true},
    {"DHE-DSS-AES256-SHA256", "TLS_DHE_DSS_WITH_AES_256_CBC_SHA256", Kx::dhe, Au::dss, Enc::aes256_cbc, Mac::sha256, Since::tls1_2, false, true, false},
    {"ECDHE-ECDSA-CAMELLIA256-SHA384", "TLS_ECDHE_ECDSA_WITH_CAMELLIA_256_CBC_SHA384", Kx::ecdhe, Au::ecdsa, Enc::camellia256_cbc, Mac::sha384, Since::tls1_2, false, false, true},
    {"ECDHE-RSA-CAMELLIA256-SHA384", "TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384", Kx::ecdhe, Au::rsa, Enc::camellia256_cbc, Mac::sha384, Since::tls1_2, false, false, true},
    {"DHE-RSA-CAMELLIA256-SHA256", "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA256", Kx::dhe, Au::rsa, Enc::camellia256_cbc, Mac::sha256, Since::tls1_2, false, false, true},
    {"DHE-DSS-CAMELLIA256-SHA256", "TLS_DHE_DSS_WITH_CAMELLIA_256_CBC_SHA256", Kx::dhe, Au::dss, Enc::camellia256_cbc, Mac::sha256, Since::tls1_2, false, false, false},
    {"ADH-AES256-SHA256", "TLS_DH_anon_WITH_AES_256_CBC_SHA256", Kx::dhe, Au::none, Enc::aes256_cbc, Mac::sha256, Since::tls1_2, false, true, false},
    {"ADH-CAMELLIA256-SHA256", "TLS_DH_anon_WITH_CAMELLIA_256_CBC_SHA256", Kx::dhe, Au::none, Enc::camellia256_cbc, Mac::sha256, Since::tls1_2, false, false, false},
    {"ECDHE-ECDSA-AES128-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", Kx::ecdhe, Au::ecdsa, Enc::aes128_cbc, Mac::sha256, Since::tls1_2, true, true, true},
    {"ECDHE-RSA-AES128-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", Kx::ecdhe, Au::rsa, Enc::aes128_cbc, Mac::sha256, Since::tls1_2, true, true, true},
    {"DHE-RSA-AES128-SHA256", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", Kx::dhe, Au::rsa, Enc::aes128_cbc, Mac::sha256, Since::tls1_2, true, true, true},
    {"DHE-DSS-AES128-SHA256", "TLS_DHE_DSS_WITH_AES_128_CBC_SHA256", Kx::dhe, Au::dss, Enc::aes128_cbc, Mac::sha256, Since::tls1_2, false, true, false},
    {"ECDHE-ECDSA-CAMELLIA128-SHA256", "TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_CBC_SHA256", Kx::ecdhe, Au::ecdsa, Enc::camellia128_cbc, Mac::sha256, Since::tls1_2, false, false, true},
    {"ECDHE-RSA-CAMELLIA128-SHA256", "TLS_ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256", Kx::ecdhe, Au::rsa, Enc::camellia128_cbc, Mac::sha256, Since::tls1_2, false, false, true},
    {"DHE-RSA-CAMELLIA128-SHA256", "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA256", Kx::dhe, Au::rsa, Enc::camellia128_cbc, Mac::sha256, Since::tls1_2, false, false, true},
    {"DHE-DSS-CAMELLIA128-SHA256", "TLS_DHE_DSS_WITH_CAMELLIA_128_CBC_SHA256", Kx::dhe, Au::dss, Enc::camellia128_cbc, Mac::sha256, Since::tls1_2, false, false, false},
    {"ADH-AES128-SHA256", "TLS_DH_anon_WITH_AES_128_CBC_SHA256", Kx::dhe, Au::none, Enc::aes128_cbc, Mac::sha256, Since::tls1_2, false, true, false},
    {"ADH-CAMELLIA128-SHA256", "TLS_DH_anon_WITH_CAMELLIA_128_CBC_SHA256", Kx::dhe, Au::none, Enc::camellia128_cbc, Mac::sha256, Since::tls1_2, false, false, false},
    {"ECDHE-ECDSA-AES256-SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", Kx::ecdhe, Au::ecdsa, Enc::aes256_cbc, Mac::sha1, Since::tls1_0, true, true, true},
    {"ECDHE-RSA-AES256-SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", Kx::ecdhe, Au::rsa, Enc::aes256_cbc, Mac::sha1, Since::tls1_0, true, true, true},
    {"DHE-RSA-AES256-SHA", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", Kx::dhe, Au::rsa, Enc::aes256_cbc, Mac::sha1, Since::ssl3, true, true, true},
    {"DHE-DSS-AES256-SHA", "TLS_DHE_DSS_WITH_AES_256_CBC_SHA", Kx::dhe, Au::dss, Enc::aes256_cbc, Mac::sha1, Since::ssl3, false, true, false},
    {"DHE-RSA-CAMELLIA256-SHA", "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA", Kx::dhe, Au::rsa, Enc::camellia256_cbc, Mac::sha1, Since::ssl3, false, false, true},
    {"DHE-DSS-CAMELLIA256-SHA", "TLS_DHE_DSS_WITH_CAMELLIA_256_CBC_SHA", Kx::dhe, Au::dss, Enc::camellia256_cbc, Mac::sha1, Since::ssl3, false, false, false},
    {"AECDH-AES256-SHA", "TLS_ECDH_anon_WITH_AES_256_CBC_SHA", Kx::ecdhe, Au::none, Enc::aes256_cbc, Mac::sha1, Since::tls1_0, false, true, false},
    {"ADH-AES256-SHA", "TLS_DH_anon_WITH_AES_256_CBC_SHA", Kx::dhe, Au::none, Enc::aes256_cbc, Mac::sha1, Since::ssl3, false, true, false},
    {"ADH-CAMELLIA256-SHA", "TLS_DH_anon_WITH_CAMELLIA_256_CBC_SHA", Kx::dhe, Au::none, Enc::camellia256_cbc, Mac::sha1, Since::ssl3, false, false, false},
    {"ECDHE-ECDSA-AES128-SHA", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", Kx::ecdhe, Au::ecdsa, Enc::aes128_cbc, Mac::sha1, Since::tls1_0, true, true, true},
    {"ECDHE-RSA-AES128-SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", Kx::ecdhe, Au::rsa, Enc::aes128_cbc, Mac::sha1, Since::tls1_0, true, true, true},
    {"DHE-RSA-AES128-SHA", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", Kx::dhe, Au::rsa, Enc::aes128_cbc, Mac::sha1, Since::ssl3, true, true, true},
    {"DHE-DSS-AES128-SHA", "TLS_DHE_DSS_WITH_AES_128_CBC_SHA", Kx::dhe, Au::dss, Enc::aes128_cbc, Mac::sha1, Since::ssl3, false, true, false},
    {"DHE-RSA-CAMELLIA128-SHA", "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA", Kx::dhe, Au::rsa, Enc::camellia128_cbc, Mac::sha1, Since::ssl3, false, false, true},
    {"DHE-DSS-CAMELLIA128-SHA", "TLS_DHE_DSS_WITH_CAMELLIA_128_CBC_SHA", Kx::dhe, Au::dss, Enc::camellia128_cbc, Mac::sha1, Since::ssl3, false, false, false},
    {"AECDH-AES128-SHA", "TLS_ECDH_anon_WITH_AES_128_CBC_SHA", Kx::ecdhe, Au::none, Enc::aes128_cbc, Mac::sha1, Since::tls1_0, false, true, false},
    {"ADH-AES128-SHA", "TLS_DH_anon_WITH_AES_128_CBC_SHA", Kx::dhe, Au::none, Enc::aes128_cbc, Mac::sha1, Since::ssl3, false, true, false},
    {"ADH-CAMELLIA128-SHA", "TLS_DH_anon_WITH_CAMELLIA_128_CBC_SHA", Kx::dhe, Au::none, Enc::camellia128_cbc, Mac::sha1, Since::ssl3, false, false, false},
    {"RSA-PSK-AES256-GCM-SHA384", "TLS_RSA_PSK_WITH_AES_256_GCM_SHA384", Kx::rsa_psk, Au::rsa, Enc::aes256_gcm, Mac::aead, Since::tls1_2, true, true, true},
    {"DHE-PSK-AES256-GCM-SHA384", "TLS_DHE_PSK_WITH_AES_256_GCM_SHA384", Kx::dhe_psk, Au::psk, Enc::aes256_gcm, Mac::aead, Since::tls1_2, true, true, true},
    {"RSA-PSK-CHACHA20-POLY1305", "TLS_RSA_PSK_WITH_CHACHA20_POLY1305_SHA256", Kx::rsa_psk, Au::rsa, Enc::chacha20, Mac::aead, Since::tls1_2, true, false, true},
    {"DHE-PSK-CHACHA20-POLY1305", "TLS_DHE_PSK_WITH_CHACHA20_POLY1305_SHA256", Kx::dhe_psk, Au::psk, Enc::chacha20, Mac::aead, Since::tls1_2, true, false, true},
    {"ECDHE-PSK-CHACHA20-POLY1305", "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256", Kx::ecdhe_psk, Au::psk, Enc::chacha20, Mac::aead, Since::tls1_2, true, false, true},
    {"DHE-PSK-AES256-CCM8", "TLS_PSK_DHE_WITH_AES_256_CCM_8", Kx::dhe_psk, Au::psk, Enc::aes256_ccm8, Mac::aead, Since::tls1_2, false, false, true},
    {"DHE-PSK-AES256-CCM", "TLS_DHE_PSK_WITH_AES_256_CCM", Kx::dhe_psk, Au::psk, Enc::aes256_ccm, Mac::aead, Since::tls1_2, false, false, true},
    {"RSA-PSK-ARIA256-GCM-SHA384", "TLS_RSA_PSK_WITH_ARIA_256_GCM_SHA384", Kx::rsa_psk, Au::rsa, Enc::aria256_gcm, Mac::aead, Since::tls1_2, false, false, false},
    {"DHE-PSK-ARIA256-GCM-SHA384", "TLS_DHE_PSK_WITH_ARIA_256_GCM_SHA384", Kx::dhe_psk, Au::psk, Enc::aria256_gcm, Mac::aead, Since::tls1_2, false, false, false},
    {"AES256-GCM-SHA384", "TLS_RSA_WITH_AES_256_GCM_SHA384", Kx::rsa, Au::rsa, Enc::aes256_gcm, Mac::aead, Since::tls1_2, true, true, true},
    {"AES256-CCM8", "TLS_RSA_WITH_AES_256_CCM_8", Kx::rsa, Au::rsa, Enc::aes256_ccm8, Mac::aead, Since::tls1_2, false, false, true},
    {"AES256-CCM", "TLS_RSA_WITH_AES_256_CCM", Kx::rsa, Au::rsa, Enc::aes256_ccm, Mac::aead, Since::tls1_2, false, false, true},
    {"ARIA256-GCM-SHA384", "TLS_RSA_WITH_ARIA_256_GCM_SHA384", Kx::rsa, Au::rsa, Enc::aria256_gcm, Mac::aead, Since::tls1_2, false, false, false},
    {"PSK-AES256-GCM-SHA384", "TLS_PSK_WITH_AES_256_GCM_SHA384", Kx::psk, Au::psk, Enc::aes256_gcm, Mac::aead, Since::tls1_2, true, true, true},
    {"PSK-CHACHA20-POLY1305", "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", Kx::psk, Au::psk, Enc::chacha20, Mac::aead, Since::tls1_2, true, false, true},
    {"PSK-AES256-CCM8", "TLS_PSK_WITH_AES_256_CCM_8", Kx::psk, Au::psk, Enc::aes256_ccm8, Mac::aead, Since::tls1_2, false, false, true},
    {"PSK-AES256-CCM", "TLS_PSK_WITH_AES_256_CCM", Kx::psk, Au::psk, Enc::aes256_ccm, Mac::aead, Since::tls1_2, false, false, true},
    {"PSK-ARIA256-GCM-SHA384", "TLS_PSK_WITH_ARIA_256_GCM_SHA384", Kx::psk, Au::psk, Enc::aria256_gcm, Mac::aead, Since::tls1_2, false, false, false},
    {"RSA-PSK-AES128-GCM-SHA256", "TLS_RSA_PSK_WITH_AES_128_GCM_SHA256", Kx::rsa_psk, Au::rsa, Enc::aes128_gcm, Mac::aead, Since::tls1_2, true, true, true},
    {"DHE-PSK-AES128-GCM-SHA256", "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256", Kx::dhe_psk, Au::psk, Enc::aes128_gcm, Mac::aead, Since::tls1_2, true, true, true},
    {"DHE-PSK-AES128-CCM8", "TLS_PSK_DHE_WITH_AES_128_CCM_8", Kx::dhe_psk, Au::psk, Enc::aes128_ccm8, Mac::aead, Since::tls1_2, false, false, true},
    {"DHE-PSK-AES128-CCM", "TLS_DHE_PSK_WITH_AES_128_CCM", Kx::dhe_psk, Au::psk, Enc::aes128_ccm, Mac::aead, Since::tls1_2, false, false, true},
    {"RSA-PSK-ARIA128-GCM-SHA256", "TLS_RSA_PSK_WITH_ARIA_128_GCM_SHA256", Kx::rsa_psk, Au::rsa, Enc::aria128_gcm, Mac::aead, Since::tls1_2, false, false, false},
    {"DHE-PSK-ARIA128-GCM-SHA256", "TLS_DHE_PSK_WITH_ARIA_128_GCM_SHA256", Kx::dhe_psk, Au::psk, Enc::aria128_gcm, Mac::aead, Since::tls1_2, false, false, false},
    {"AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256", Kx::rsa, Au::rsa, Enc::aes128_gcm, Mac::aead, Since::tls1_2, true, true, true},
    {"AES128-CCM8", "TLS_RSA_WITH_AES_128_CCM_8", Kx::rsa, Au::rsa, Enc::aes128_ccm8, Mac::aead, Since::tls1_2, false, false, true},
    {"AES128-CCM", "TLS_RSA_WITH_AES_128_CCM", Kx::rsa, Au::rsa, Enc::aes128_ccm, Mac::aead, Since::tls1_2, false, false, true},
    {"ARIA128-GCM-SHA256", "TLS_RSA_WITH_ARIA_128_GCM_SHA256", Kx::rsa, Au::rsa, Enc::aria128_gcm, Mac::aead, Since::tls1_2, false, false, false},
    {"PSK-AES128-GCM-SHA256", "TLS_PSK_WITH_AES_128_GCM_SHA256", Kx::psk, Au::psk, Enc::aes128_gcm, Mac::aead, Since::tls1_2, true, true, true},
    {"PSK-AES128-CCM8", "TLS_PSK_WITH_AES_128_CCM_8", Kx::psk, Au::psk, Enc::aes128_ccm8, Mac::aead, Since::tls1_2, false, false, true},
    {"PSK-AES128-CCM", "TLS_PSK_WITH_AES_128_CCM", Kx::psk, Au::psk, Enc::aes128_ccm, Mac::aead, Since::tls1_2, false, false, true},
    {"PSK-ARIA128-GCM-SHA256", "TLS_PSK_WITH_ARIA_128_GCM_SHA256", Kx::psk, Au::psk, Enc::aria128_gcm, Mac::aead, Since::tls1_2, false, false, false},
    {"AES256-SHA256", "TLS_RSA_WITH_AES_256_CBC_SHA256", Kx::rsa, Au::rsa, Enc::aes256_cbc, Mac::sha256, Since::tls1_2, true, true, true},
    {"CAMELLIA256-SHA256", "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA256", Kx::rsa, Au::rsa, Enc::camellia256_cbc, Mac::sha256, Since::tls1_2, false, false, true},
    {"AES128-SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA256", Kx::rsa, Au::rsa, Enc::aes128_cbc, Mac::sha256, Since::tls1_2, true, true, true},
    {"CAMELLIA128-SHA256", "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA256", Kx::rsa, Au::rsa, Enc::camellia128_cbc, Mac::sha256, Since::tls1_2, false, false, true},
    {"ECDHE-PSK-AES256-CBC-SHA384", "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384", Kx::ecdhe_psk, Au::psk, Enc::aes256_cbc, Mac::sha384, Since::tls1_0, true, true, true},
    {"ECDHE-PSK-AES256-CBC-SHA", "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA", Kx::ecdhe_psk, Au::psk, Enc::aes256_cbc, Mac::sha1, Since::tls1_0, true, true, true},
    {"SRP-DSS-AES-256-CBC-SHA", "TLS_SRP_SHA_DSS_WITH_AES_256_CBC_SHA", Kx::srp, Au::dss, Enc::aes256_cbc, Mac::sha1, Since::ssl3, false, false, false},
    {"SRP-RSA-AES-256-CBC-SHA", "TLS_SRP_SHA_RSA_WITH_AES_256_CBC_SHA", Kx::srp, Au::rsa, Enc::aes256_cbc, Mac::sha1, Since::ssl3, true, false, false},
    {"SRP-AES-256-CBC-SHA", "TLS_SRP_SHA_WITH_AES_256_CBC_SHA", Kx::srp, Au::srp, Enc::aes256_cbc, Mac::sha1, Since::ssl3, true, false, false},
    {"RSA-PSK-AES256-CBC-SHA384", "TLS_RSA_PSK_WITH_AES_256_CBC_SHA384", Kx::rsa_psk, Au::rsa, Enc::aes256_cbc, Mac::sha384, Since::tls1_0, true, true, true},
    {"DHE-PSK-AES256-CBC-SHA384", "TLS_DHE_PSK_WITH_AES_256_CBC_SHA384", Kx::dhe_psk, Au::psk, Enc::aes256_cbc, Mac::sha384, Since::tls1_0, true, true, true},
    {"RSA-PSK-AES256-CBC-SHA", "TLS_RSA_PSK_WITH_AES_256_CBC_SHA", Kx::rsa_psk, Au::rsa, Enc::aes256_cbc, Mac::sha1, Since::ssl3, true, true, true},
    {"DHE-PSK-AES256-CBC-SHA", "TLS_DHE_PSK_WITH_AES_256_CBC_SHA", Kx::dhe_psk, Au::psk, Enc::aes256_cbc, Mac::sha1, Since::ssl3, true, true, true},
    {"ECDHE-PSK-CAMELLIA256-SHA384", "TLS_ECDHE_PSK_WITH_CAMELLIA_256_CBC_SHA384", Kx::ecdhe_psk, Au::psk, Enc::camellia256_cbc, Mac::sha384, Since::tls1_0, false, false, true},
    {"RSA-PSK-CAMELLIA256-SHA384", "TLS_RSA_PSK_WITH_CAMELLIA_256_CBC_SHA384", Kx::rsa_psk, Au::rsa, Enc::camellia256_cbc, Mac::sha384, Since::tls1_0, false, false, true},
    {"DHE-PSK-CAMELLIA256-SHA384", "TLS_DHE_PSK_WITH_CAMELLIA_256_CBC_SHA384", Kx::dhe_psk, Au::psk, Enc::camellia256_cbc, Mac::sha384, Since::tls1_0, false, false, true},
    {"AES256-SHA", "TLS_RSA_WITH_AES_256_CBC_SHA", Kx::rsa, Au::rsa, Enc::aes256_cbc, Mac::sha1, Since::ssl3, true, true, true},
    {"CAMELLIA256-SHA", "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA", Kx::rsa, Au::rsa, Enc::camellia256_cbc, Mac::sha1, Since::ssl3, false, false, true},
    {"PSK-AES256-CBC-SHA384", "TLS_PSK_WITH_AES_256_CBC_SHA384", Kx::psk, Au::psk, Enc::aes256_cbc, Mac::sha384, Since::tls1_0, true, true, true},
    {"PSK-AES256-CBC-SHA", "TLS_PSK_WITH_AES_256_CBC_SHA", Kx::psk, Au::psk, Enc::aes256_cbc, Mac::sha1, Since::ssl3, true, true, true},
    {"PSK-CAMELLIA256-SHA384", "TLS_PSK_WITH_CAMELLIA_256_CBC_SHA384", Kx::psk, Au::psk, Enc::camellia256_cbc, Mac::sha384, Since::tls1_0, false, false, true},
    {"ECDHE-PSK-AES128-CBC-SHA256", "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256", Kx::ecdhe_psk, Au::psk, Enc::aes128_cbc, Mac::sha256, Since::tls1_0, true, true, true},
    {"ECDHE-PSK-AES128-CBC-SHA", "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA", Kx::ecdhe_psk, Au::psk, Enc::aes128_cbc, Mac::sha1, Since::tls1_0, true, true, true},
    {"SRP-DSS-AES-128-CBC-SHA", "TLS_SRP_SHA_DSS_WITH_AES_128_CBC_SHA", Kx::srp, Au::dss, Enc::aes128_cbc, Mac::sha1, Since::ssl3, false, false, false},
    {"SRP-RSA-AES-128-CBC-SHA", "TLS_SRP_SHA_RSA_WITH_AES_128_CBC_SHA", Kx::srp, Au::rsa, Enc::aes128_cbc, Mac::sha1, Since::ssl3, true, false, false},
    {"SRP-AES-128-CBC-SHA", "TLS_SRP_SHA_WITH_AES_128_CBC_SHA", Kx::srp, Au::srp, Enc::aes128_cbc, Mac::sha1, Since::ssl3, true, false, false},
    {"RSA-PSK-AES128-CBC-SHA256", "TLS_RSA_PSK_WITH_AES_128_CBC_SHA256", Kx::rsa_psk, Au::rsa, Enc::aes128_cbc, Mac::sha256, Since::tls1_0, true, true, true},
    {"DHE-PSK-AES128-CBC-SHA256", "TLS_DHE_PSK_WITH_AES_128_CBC_SHA256", Kx::dhe_psk, Au::psk, Enc::aes128_cbc, Mac::sha256, Since::tls1_0, true, true, true},
    {"RSA-PSK-AES128-CBC-SHA", "TLS_RSA_PSK_WITH_AES_128_CBC_SHA", Kx::rsa_psk, Au::rsa, Enc::aes128_cbc, Mac::sha1, Since::ssl3, true, true, true},
    {"DHE-PSK-AES128-CBC-SHA", "TLS_DHE_PSK_WITH_AES_128_CBC_SHA", Kx::dhe_psk, Au::psk, Enc::aes128_cbc, Mac::sha1, Since::ssl3, true, true, true},
    {"ECDHE-PSK-CAMELLIA128-SHA256", "TLS_ECDHE_PSK_WITH_CAMELLIA_128_CBC_SHA256", Kx::ecdhe_psk, Au::psk, Enc::camellia128_cbc, Mac::sha256, Since::tls1_0, false, false, true},
    {"RSA-PSK-CAMELLIA128-SHA256", "TLS_RSA_PSK_WITH_CAMELLIA_128_CBC_SHA256", Kx::rsa_psk, Au::rsa, Enc::camellia128_cbc, Mac::sha256, Since::tls1_0, false, false, true},
    {"DHE-PSK-CAMELLIA128-SHA256", "TLS_DHE_PSK_WITH_CAMELLIA_128_CBC_SHA256", Kx::dhe_psk, Au::psk, Enc::camellia128_cbc, Mac::sha256, Since::tls1_0, false, false, true},
    {"AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA", Kx::rsa, Au::rsa, Enc::aes128_cbc, Mac::sha1, Since::ssl3, true, true, true},
    {"CAMELLIA128-SHA", "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA", Kx::rsa, Au::rsa, Enc::camellia128_cbc, Mac::sha1, Since::ssl3, false, false, true},
    {"PSK-AES128-CBC-SHA256", "TLS_PSK_WITH_AES_128_CBC_SHA256", Kx::psk, Au::psk, Enc::aes128_cbc, Mac::sha256, Since::tls1_0, true, true, true},
    {"PSK-AES128-CBC-SHA", "TLS_PSK_WITH_AES_128_CBC_SHA", Kx::psk, Au::psk, Enc::aes128_cbc, Mac::sha1, Since::ssl3, true, true, true},
    {"PSK-CAMELLIA128-SHA256", "TLS_PSK_WITH_CAMELLIA_128_CBC_SHA256", Kx::psk, Au::psk, Enc::camellia128_cbc, Mac::sha256, Since::tls1_0, false, false, true},
    {"ECDHE-ECDSA-NULL-SHA", "TLS_ECDHE_ECDSA_WITH_NULL_SHA", Kx::ecdhe, Au::ecdsa, Enc::null, Mac::sha1, Since::tls1_0, false, false, false},
    {"ECDHE-RSA-NULL-SHA", "TLS_ECDHE_RSA_WITH_NULL_SHA", Kx::ecdhe, Au::rsa, Enc::null, Mac::sha1, Since::tls1_0, false, false, false},
    {"AECDH-NULL-SHA", "TLS_ECDH_anon_WITH_NULL_SHA", Kx::ecdhe, Au::none, Enc::null, Mac::sha1, Since::tls1_0, false, false, false},
    {"NULL-SHA256", "TLS_RSA_WITH_NULL_SHA256", Kx::rsa, Au::rsa, Enc::null, Mac::sha256, Since::tls1_2, false, false, false},
    {"ECDHE-PSK-NULL-SHA384", "TLS_ECDHE_PSK_WITH_NULL_SHA384", Kx::ecdhe_psk, Au::psk, Enc::null, Mac::sha384, Since::tls1_0, false, false, false},
    {"ECDHE-PSK-NULL-SHA256", "TLS_ECDHE_PSK_WITH_NULL_SHA256", Kx::ecdhe_psk, Au::psk, Enc::null, Mac::sha256, Since::tls1_0, false, false, false},
    {"ECDHE-PSK-NULL-SHA", "TLS_ECDHE_PSK_WITH_NULL_SHA", Kx::ecdhe_psk, Au::psk, Enc::null, Mac::sha1, Since::tls1_0, false, false, false},
    {"RSA-PSK-NULL-SHA384", "TLS_RSA_PSK_WITH_NULL_SHA384", Kx::rsa_psk, Au::rsa, Enc::null, Mac::sha384, Since::tls1_0, false, false, false},
    {"RSA-PSK-NULL-SHA256", "TLS_RSA_PSK_WITH_NULL_SHA256", Kx::rsa_psk, Au::rsa, Enc::null, Mac::sha256, Since::tls1_0, false, false, false},
    {"DHE-PSK-NULL-SHA384", "TLS_DHE_PSK_WITH_NULL_SHA384", Kx::dhe_psk, Au::psk, Enc::null, Mac::sha384, Since::tls1_0, false, false, false},
    {"DHE-PSK-NULL-SHA256", "TLS_DHE_PSK_WITH_NULL_SHA256", Kx::dhe_psk, Au::psk, Enc::null, Mac::sha256, Since::tls1_0, false, false, false},
    {"RSA-PSK-NULL-SHA", "TLS_RSA_PSK_WITH_NULL_SHA", Kx::rsa_psk, Au::rsa, Enc::null, Mac::sha1, Since::ssl3, false, false, false},
    {"DHE-PSK-NULL-SHA", "TLS_DHE_PSK_WITH_NULL_SHA", Kx::dhe_psk, Au::psk, Enc::null, Mac::sha1, Since::ssl3, false, false, false},
    {"NULL-SHA", "TLS_RSA_WITH_NULL_SHA", Kx::rsa, Au::rsa, Enc::null, Mac::sha1, Since::ssl3, false, false, false},
    {"NULL-MD5", "TLS_RSA_WITH_NULL_MD5", Kx::rsa, Au::rsa, Enc::null, Mac::md5, Since::ssl3, false, false, false},
    {"PSK-NULL-SHA384", "TLS_PSK_WITH_NULL_SHA384", Kx::psk, Au::psk, Enc::null, Mac::sha384, Since::tls1_0, false, false, false},
    {"PSK-NULL-SHA256", "TLS_PSK_WITH_NULL_SHA256", Kx::psk, Au::psk, Enc::null, Mac::sha256, Since::tls1_0, false, false, false},
    {"PSK-NULL-SHA", "TLS_PSK_WITH_NULL_SHA", Kx::psk, Au::psk, Enc::null, Mac::sha1, Since::ssl3, false, false, false},
});
// clang-format on

}  // namespace

std::span<const OpensslSuite> openssl_suites() { return kSuites; }

int strength_bits(OpensslEnc enc) {
  switch (enc) {
    case Enc::null:
      return 0;
    case Enc::aes128_cbc:
    case Enc::aes128_gcm:
    case Enc::aes128_ccm:
    case Enc::aes128_ccm8:
    case Enc::camellia128_cbc:
    case Enc::aria128_gcm:
      return 128;
    default:
      return 256;
  }
}

}  // namespace tunnel::import
