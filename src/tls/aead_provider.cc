// SPDX-License-Identifier: MIT
#include "tls/aead_provider.h"

#include <stdlib.h>

#include <string_view>
#include <utility>

namespace tunnel::tls {

Result<AeadProvider> AeadProvider::ipsec_mb(IpsecMb::Processors processors) {
  auto loaded = IpsecMb::load(processors);
  if (!loaded) return tl::unexpected(std::move(loaded.error()));
  AeadProvider provider;
  provider.ipsec_mb_ = *std::move(loaded);
  if (!gives_known_answers(provider)) {
    return failed(ErrorCode::unavailable, provider.name() + " gives wrong answers here");
  }
  return provider;
}

const IpsecMb::Gcm* AeadProvider::gcm(gnutls_cipher_algorithm_t cipher) const {
  if (!ipsec_mb_) return nullptr;
  if (cipher == GNUTLS_CIPHER_AES_128_GCM) return &ipsec_mb_->aes128;
  if (cipher == GNUTLS_CIPHER_AES_256_GCM) return &ipsec_mb_->aes256;
  return nullptr;
}

std::string AeadProvider::name() const {
  return ipsec_mb_ ? "intel-ipsec-mb " + ipsec_mb_->version : "GnuTLS";
}

AeadChoice AeadChoice::make(const char* wish) {
  const std::string_view wanted = wish ? wish : "";
  if (wanted == "gnutls") return {};
  const bool is_forced = wanted == "ipsec-mb";
  const std::string where = std::string(kVariable) + " in the environment is \"";
  if (!wanted.empty() && !is_forced) {
    return {.provider = {},
            .problem = where + std::string(wanted) + "\"; it can be \"gnutls\" or \"ipsec-mb\""};
  }
  auto made =
      AeadProvider::ipsec_mb(is_forced ? IpsecMb::Processors::all : IpsecMb::Processors::fast);
  if (made) return {.provider = *std::move(made)};
  // No library, no such processor, or a wrong answer: GnuTLS is there, and as good but for speed.
  if (!is_forced) return {};
  return {.provider = {}, .problem = where + "ipsec-mb\", but " + made.error().text};
}

const AeadChoice& AeadChoice::of_process() {
  static const AeadChoice choice = make(::getenv(kVariable));
  return choice;
}

}  // namespace tunnel::tls
