// SPDX-License-Identifier: MIT
#include "import/openssl_versions.h"

#include <algorithm>

#include "base/text.h"

namespace tunnel::import {
namespace {

struct NamedVersion {
  std::string_view name;
  config::TlsVersion version;
};
constexpr auto kVersions = std::to_array<NamedVersion>({
    {"TLSv1", config::TlsVersion::tls1_0},
    {"TLSv1.1", config::TlsVersion::tls1_1},
    {"TLSv1.2", config::TlsVersion::tls1_2},
    {"TLSv1.3", config::TlsVersion::tls1_3},
});

}  // namespace

std::optional<config::TlsVersion> find_openssl_version(std::string_view name) {
  for (const NamedVersion& entry : kVersions) {
    if (equal_ignoring_case(entry.name, name)) return entry.version;
  }
  return std::nullopt;
}

std::optional<OpensslVersions::Range> OpensslVersions::range() const {
  const config::TlsVersion max = max_.value_or(config::TlsVersion::tls1_3);
  if (min_) return newest_block(*min_, max);
  // A file that says nothing gets our own default. Only where that leaves no version, as with
  // sslVersionMax = TLSv1.1, are the older ones meant.
  if (auto modern = newest_block(config::TlsVersion::tls1_2, max)) return modern;
  return newest_block(config::TlsVersion::tls1_0, max);
}

// From the newest version down: there are two bounds here and no way to leave out one in between,
// so that what is below a gap is given up.
std::optional<OpensslVersions::Range> OpensslVersions::newest_block(config::TlsVersion min,
                                                                    config::TlsVersion max) const {
  std::optional<Range> range;
  for (auto entry = kVersions.rbegin(); entry != kVersions.rend(); ++entry) {
    const config::TlsVersion version = entry->version;
    if (version < min || version > max) continue;
    if (is_off(version)) continue;
    if (!range) {
      range = Range{.min = version, .max = version};
    } else if (static_cast<int>(range->min) == static_cast<int>(version) + 1) {
      range->min = version;
    } else {
      range->had_gap = true;
      break;
    }
  }
  return range;
}

}  // namespace tunnel::import
