// SPDX-License-Identifier: MIT
#include "tls/traffic_secret.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "base/wipe.h"

namespace tunnel::tls {
namespace {

// HKDF-Expand-Label (RFC 8446 section 7.1) with an empty context.
bool expand(const gnutls_datum_t& secret, std::string_view label, unsigned char* into,
            std::size_t size) {
  constexpr std::size_t kSha256Size = 32;
  // A secret is as long as the hash of its suite, and suites have these two.
  const auto mac = secret.size == kSha256Size ? GNUTLS_MAC_SHA256 : GNUTLS_MAC_SHA384;
  const std::string name = "tls13 " + std::string(label);
  std::string info{static_cast<char>(size >> 8), static_cast<char>(size & 0xff),
                   static_cast<char>(name.size())};
  info += name;
  info += '\0';
  const gnutls_datum_t lent{reinterpret_cast<unsigned char*>(info.data()),
                            static_cast<unsigned>(info.size())};
  return gnutls_hkdf_expand(mac, &secret, &lent, into, size) == 0;
}

}  // namespace

TrafficSecret::TrafficSecret(Bytes secret)
    : size_(static_cast<std::uint8_t>(std::min(secret.size(), kMostBytes))) {
  std::memcpy(secret_.data(), secret.data(), size_);
}

TrafficSecret::~TrafficSecret() { wipe(secret_); }

bool TrafficSecret::update(RecordKeys& keys) {
  if (size_ == 0) return false;
  TrafficSecret next;
  next.size_ = size_;
  const gnutls_datum_t now{secret_.data(), size_};
  if (!expand(now, "traffic upd", next.secret_.data(), next.size_)) return false;
  // Into copies: a half-made change would be neither the old keys nor the new ones.
  RecordKeys its = keys;
  const gnutls_datum_t then{next.secret_.data(), next.size_};
  if (!expand(then, "key", its.key.data(), its.key_size)) return false;
  if (!expand(then, "iv", its.iv.data(), its.iv.size())) return false;
  its.sequence = 0;
  keys = its;
  *this = next;
  return true;
}

}  // namespace tunnel::tls
