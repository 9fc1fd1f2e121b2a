// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "tls/aead_provider.h"

namespace tunnel::tls::test {

// The libraries that do AES-GCM, of which this build and processor may have only GnuTLS.
inline const std::vector<AeadChoice>& aeads() {
  static const std::vector<AeadChoice> all = [] {
    std::vector<AeadChoice> found{AeadChoice{}};
    if (auto ipsec_mb = AeadProvider::ipsec_mb(IpsecMb::Processors::all)) {
      found.push_back({.provider = *ipsec_mb});
    }
    return found;
  }();
  return all;
}

}  // namespace tunnel::tls::test
