// SPDX-License-Identifier: MIT
// The versions of TLS that stunnel.conf leaves: bounds, and single versions that are switched off.
// Pure; any thread.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "config/model.h"

namespace tunnel::config {

class OpensslVersions {
 public:
  // A bound is nullopt for "all" and "None".
  void set_min(std::optional<TlsVersion> version) { min_ = version; }
  void set_max(std::optional<TlsVersion> version) { max_ = version; }
  void switch_off(TlsVersion version) { off(version) = true; }
  void switch_on(TlsVersion version) { off(version) = false; }
  void switch_all_on() { off_ = {}; }

  [[nodiscard]] bool is_crossed() const { return min_ && max_ && *min_ > *max_; }

  struct Range {
    TlsVersion min = TlsVersion::tls1_2;
    TlsVersion max = TlsVersion::tls1_3;
    bool had_gap = false;  // older versions were given up, because one in between is off
    friend bool operator==(const Range&, const Range&) = default;
  };
  // The newest versions without a gap; nullopt when nothing is left. Versions before 1.2 only count
  // when the file asks for them: by a bound, or by leaving nothing else.
  [[nodiscard]] std::optional<Range> range() const;

 private:
  [[nodiscard]] std::optional<Range> newest_block(TlsVersion min, TlsVersion max) const;
  [[nodiscard]] bool& off(TlsVersion version) { return off_[static_cast<std::size_t>(version)]; }
  [[nodiscard]] bool is_off(TlsVersion version) const {
    return off_[static_cast<std::size_t>(version)];
  }

  std::optional<TlsVersion> min_, max_;
  std::array<bool, 4> off_ = {};
};

// "TLSv1.2", in any case. SSLv3 is none.
[[nodiscard]] std::optional<TlsVersion> find_openssl_version(std::string_view name);

}  // namespace tunnel::config
