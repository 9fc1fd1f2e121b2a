// SPDX-License-Identifier: MIT
#include "probe/version_contexts.h"

#include <utility>

namespace tunnel::probe {

std::string_view VersionContexts::name(std::size_t index) {
  static constexpr std::string_view kNames[kCount] = {"TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};
  return kNames[index];
}

const tls::Context* VersionContexts::get(std::size_t index) {
  static constexpr config::TlsVersion kVersions[kCount] = {
      config::TlsVersion::tls1_0, config::TlsVersion::tls1_1, config::TlsVersion::tls1_2,
      config::TlsVersion::tls1_3};
  if (!std::exchange(is_tried_[index], true)) {
    config::Tls tls;
    // Only the version is asked about. ALPN and min_strength, for which a server may refuse, are
    // the service's own; what could make this side refuse is off.
    tls.verify = config::Verify::none;
    tls.min_version = tls.max_version = kVersions[index];
    tls.min_strength = tls_.min_strength;
    tls.alpn = tls_.alpn;
    tls.resumption = false;
    tls.allow_key_usage_violation = true;
    made_[index] = tls::Context::load(tls, shared_, tls::Context::Purpose::check).context;
  }
  return made_[index].get();
}

}  // namespace tunnel::probe
