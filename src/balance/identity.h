// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/published.h"

namespace tunnel::balance {

// How a server has shown over TLS who it is, for people. Immutable. Times in seconds since 1970; 0:
// not known.
struct Identity {
  std::string_view tls_version{};   // static text
  std::string subject{}, issuer{};  // of its certificate (RFC 4514)
  std::string pin{};                // of its key, as tls.pin has it: "sha256:..."
  std::int64_t not_after = 0;
  // What it was verified with: the subjects from its own certificate to the anchor, and the
  // earliest end among them. None where nothing was verified.
  std::vector<std::string> path{};
  std::int64_t path_until = 0;
  std::int64_t ocsp_until = 0;  // until when its stapled OCSP response holds
};

// The identity of a target as it was seen last. Reading a certificate costs more than counting, so
// that who has a session asks first whether it is time for that. Any thread.
class ShownIdentity : public Published<Identity> {
 public:
  static constexpr std::int64_t kSeldom = 60;  // seconds

  // True once in so long: show() follows.
  [[nodiscard]] bool is_due(std::int64_t now) {
    std::int64_t looked = looked_.load(std::memory_order_relaxed);
    return (looked == 0 || now - looked >= kSeldom || now < looked) &&
           looked_.compare_exchange_strong(looked, now, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::int64_t> looked_{0};
};

}  // namespace tunnel::balance
