// SPDX-License-Identifier: MIT
#pragma once

#include <gnutls/gnutls.h>

#include <optional>
#include <string>

#include "tls/ipsec_mb.h"

namespace tunnel::tls {

// Which library seals and opens the records of AES-GCM: GnuTLS, or intel-ipsec-mb. Handshakes, and
// all other ciphers, are GnuTLS's. Immutable; any thread.
class AeadProvider {
 public:
  // GnuTLS.
  AeadProvider() = default;
  // Only if it gives known answers.
  [[nodiscard]] static Result<AeadProvider> ipsec_mb(IpsecMb::Processors processors);

  // Null: the cipher is GnuTLS's.
  [[nodiscard]] const IpsecMb::Gcm* gcm(gnutls_cipher_algorithm_t cipher) const;
  [[nodiscard]] std::string name() const;  // "GnuTLS", "intel-ipsec-mb 1.3.0"

 private:
  std::optional<IpsecMb> ipsec_mb_;
};

// The decision for one. Without a wish it is intel-ipsec-mb where that is much faster.
struct AeadChoice {
  // The environment's variable with the wish, for tests and measurements: "gnutls" or "ipsec-mb".
  static constexpr const char* kVariable = "TUNNEL_AEAD";
  // `wish` may be null.
  [[nodiscard]] static AeadChoice make(const char* wish);
  // That of this process, made at the first call by what the environment says then. A constant, as
  // the processor is one: whatever is loaded later works alike.
  [[nodiscard]] static const AeadChoice& of_process();

  AeadProvider provider;
  std::string problem{};  // why the wish cannot be fulfilled
};

// Whether it does AES-GCM right: answers that the standard's authors have published, a long record
// that is as GnuTLS makes it, and no forged one accepted.
[[nodiscard]] bool gives_known_answers(const AeadProvider& provider);

}  // namespace tunnel::tls
