// SPDX-License-Identifier: MIT
#include "tls/min_strength.h"

#include <algorithm>
#include <string_view>

namespace tunnel::tls {
namespace {

struct Strength {
  config::MinStrength config;
  int bits;
  std::string_view profile;
  // Too weak for it and good enough for the row before, of the handshake too: a chain may go
  // unverified.
  std::string_view signatures;
};
constexpr std::string_view kBelow192 =
    ":-SIGN-RSA-SHA256:-SIGN-RSA-PSS-SHA256:-SIGN-RSA-PSS-RSAE-SHA256:-SIGN-ECDSA-SHA256"
    ":-SIGN-ECDSA-SECP256R1-SHA256:-SIGN-EdDSA-Ed25519";
constexpr std::string_view kBelow256 =
    ":-SIGN-RSA-SHA384:-SIGN-RSA-PSS-SHA384:-SIGN-RSA-PSS-RSAE-SHA384:-SIGN-ECDSA-SHA384"
    ":-SIGN-ECDSA-SECP384R1-SHA384:-SIGN-EdDSA-Ed448";
constexpr Strength kStrengths[] = {
    {config::MinStrength::bits112, 112, "%PROFILE_MEDIUM", ""},
    {config::MinStrength::bits128, 128, "%PROFILE_HIGH", ""},
    {config::MinStrength::bits192, 192, "%PROFILE_ULTRA", kBelow192},
    {config::MinStrength::bits256, 256, "%PROFILE_FUTURE", kBelow256},
};

const Strength& row_of(config::MinStrength strength) {
  return *std::ranges::find(kStrengths, strength, &Strength::config);
}

int bits_of(const Suite& suite) {
  if (suite.cipher == GNUTLS_CIPHER_3DES_CBC) return 112;  // of 168: two keys meet in the middle
  return static_cast<int>(gnutls_cipher_get_key_size(suite.cipher)) * 8;
}

// As OpenSSL and NIST count them.
int bits_of(const Group& group) {
  switch (group.id) {
    case GNUTLS_GROUP_SECP384R1:
    case GNUTLS_GROUP_FFDHE8192:
      return 192;
    case GNUTLS_GROUP_SECP521R1:
      return 256;
    case GNUTLS_GROUP_X448:
      return 224;
    case GNUTLS_GROUP_SECP224R1:
    case GNUTLS_GROUP_FFDHE2048:
      return 112;
    default:
      return 128;
  }
}

template <class T>
void keep(std::vector<T>& list, int least) {
  std::erase_if(list, [least](const T& entry) { return bits_of(entry) < least; });
}

}  // namespace

int least_bits(config::MinStrength strength) { return row_of(strength).bits; }

void keep_strong(std::vector<Suite>& suites, config::MinStrength strength) {
  keep(suites, least_bits(strength));
}

void keep_strong(std::vector<Group>& groups, config::MinStrength strength) {
  keep(groups, least_bits(strength));
}

std::string strength_tokens(config::MinStrength strength) {
  std::string tokens;
  for (const Strength& step : kStrengths) {
    if (step.bits <= least_bits(strength)) tokens += step.signatures;
  }
  return tokens + ":" + std::string(row_of(strength).profile);
}

}  // namespace tunnel::tls
