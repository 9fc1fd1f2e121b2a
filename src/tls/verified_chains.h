// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <ctime>
#include <memory>
#include <optional>
#include <unordered_map>

#include "x509/fingerprint.h"
#include "x509/trusted_path.h"

namespace tunnel::tls {

// Certificates that were verified a moment ago: verification is half of a handshake's cost, and a
// server shows the same ones again and again. The key stands for everything that the verdict
// depends on but time: chain, stapled OCSP response, names, context. Only success is kept, for
// minutes, and never past the moment from which one of its reasons no longer holds. Part of a
// Remembered, which locks it.
class VerifiedChains {
 public:
  static constexpr std::size_t kMost = 32;
  static constexpr std::time_t kLifetime = 300;

  // What a verification has found good, and until when.
  struct Good {
    std::time_t until;           // all that it rests on: certificates, lists and responses
    std::time_t ocsp_until = 0;  // the stapled response among it; 0: there is none
    std::shared_ptr<const x509::TrustedPath> path{};
  };
  // Verified at `now`.
  void add(const x509::Fingerprint& key, std::time_t now, Good good);
  // Nothing: it has to be verified (again).
  [[nodiscard]] std::optional<Good> find(const x509::Fingerprint& key, std::time_t now) const;

  [[nodiscard]] std::size_t size() const { return chains_.size(); }

 private:
  struct Chain {
    std::time_t since;
    std::time_t until;  // of this memory
    Good good;
  };
  static bool holds(const Chain& chain, std::time_t now);

  std::unordered_map<x509::Fingerprint, Chain, x509::FingerprintHash> chains_;
};

}  // namespace tunnel::tls
