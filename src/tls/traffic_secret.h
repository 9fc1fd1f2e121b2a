// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "tls/record_cipher.h"

namespace tunnel::tls {

// What the keys of one direction are made of in TLS 1.3, and the next ones after a KeyUpdate (RFC
// 8446 sections 7.2 and 7.3). A value; wiped when it goes.
class TrafficSecret {
 public:
  TrafficSecret() = default;
  explicit TrafficSecret(Bytes secret);
  TrafficSecret(const TrafficSecret&) = default;
  TrafficSecret& operator=(const TrafficSecret&) = default;
  ~TrafficSecret();

  // Goes on to the next secret, and to the first record under its keys. False, and nothing changed,
  // without a secret.
  [[nodiscard]] bool update(RecordKeys& keys);

 private:
  static constexpr std::size_t kMostBytes = 48;  // of SHA-384, the longest hash of a suite

  std::array<unsigned char, kMostBytes> secret_{};
  std::uint8_t size_ = 0;
};

}  // namespace tunnel::tls
