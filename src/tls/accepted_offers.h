// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <ctime>
#include <unordered_map>

#include "x509/fingerprint.h"

namespace tunnel::tls {

// Which of several offers a server has accepted, so that the next handshake begins with it.
// Forgotten after a while: the server may have learnt better suites. Bounded. Guarded by
// Remembered, which owns it.
class AcceptedOffers {
 public:
  static constexpr std::time_t kLife = 3600;  // seconds
  static constexpr std::size_t kInAll = 1024;

  void accepted(const x509::Fingerprint& key, std::size_t attempt, std::time_t now);
  void forget(const x509::Fingerprint& key) { servers_.erase(key); }
  // 0, the first one, when nothing is known.
  [[nodiscard]] std::size_t find(const x509::Fingerprint& key, std::time_t now) const;

 private:
  struct Server {
    std::size_t attempt = 0;
    std::time_t since = 0;
  };
  std::unordered_map<x509::Fingerprint, Server, x509::FingerprintHash> servers_;
};

}  // namespace tunnel::tls
