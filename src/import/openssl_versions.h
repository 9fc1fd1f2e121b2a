// SPDX-License-Identifier: MIT
// The versions of TLS that stunnel.conf leaves: bounds, and single versions that are switched off.
// Pure; any thread.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "config/model.h"

namespace tunnel::import {

class OpensslVersions {
 public:
  // A bound is nullopt for "all" and "None".
  void set_min(std::optional<config::TlsVersion> version) { min_ = version; }
  void set_max(std::optional<config::TlsVersion> version) { max_ = version; }
  void switch_off(config::TlsVersion version) { off(version) = true; }
  void switch_on(config::TlsVersion version) { off(version) = false; }
  void switch_all_on() { off_ = {}; }

  [[nodiscard]] bool is_crossed() const { return min_ && max_ && *min_ > *max_; }

  struct Range {
    config::TlsVersion min = config::TlsVersion::tls1_2;
    config::TlsVersion max = config::TlsVersion::tls1_3;
    bool had_gap = false;  // older versions were given up, because one in between is off
    friend bool operator==(const Range&, const Range&) = default;
  };
  // The newest versions without a gap; nullopt when nothing is left. Versions before 1.2 only count
  // when the file asks for them: by a bound, or by leaving nothing else.
  [[nodiscard]] std::optional<Range> range() const;

 private:
  [[nodiscard]] std::optional<Range> newest_block(config::TlsVersion min,
                                                  config::TlsVersion max) const;
  [[nodiscard]] bool& off(config::TlsVersion version) {
    return off_[static_cast<std::size_t>(version)];
  }
  [[nodiscard]] bool is_off(config::TlsVersion version) const {
    return off_[static_cast<std::size_t>(version)];
  }

  std::optional<config::TlsVersion> min_, max_;
  std::array<bool, 4> off_ = {};
};

// "TLSv1.2", in any case. SSLv3 is none.
[[nodiscard]] std::optional<config::TlsVersion> find_openssl_version(std::string_view name);

}  // namespace tunnel::import
