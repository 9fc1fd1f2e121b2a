// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "config/model.h"
#include "tls/context.h"

namespace tunnel::probe {

// For finding out what a server would take: contexts that offer one version of TLS each, and judge
// no certificate. Made at the first need. Used by one thread; outlives its sessions.
class VersionContexts {
 public:
  static constexpr std::size_t kCount = 4;

  explicit VersionContexts(const config::Tls& tls) : tls_(tls) {}
  VersionContexts(const VersionContexts&) = delete;
  VersionContexts& operator=(const VersionContexts&) = delete;

  [[nodiscard]] static std::string_view name(std::size_t index);  // "TLS 1.0" and so on
  // Null when this machine's GnuTLS cannot make it.
  [[nodiscard]] const tls::Context* get(std::size_t index);

 private:
  const config::Tls tls_;
  tls::Context::Shared shared_;
  std::array<std::unique_ptr<const tls::Context>, kCount> made_;
  std::array<bool, kCount> is_tried_{};
};

}  // namespace tunnel::probe
