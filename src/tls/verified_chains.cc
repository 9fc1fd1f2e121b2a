// SPDX-License-Identifier: MIT
#include "tls/verified_chains.h"

#include <algorithm>

namespace tunnel::tls {

// A clock that was set back proves nothing: what was good at `since` may not have been so before.
bool VerifiedChains::holds(const Chain& chain, std::time_t now) {
  return chain.since <= now && now < chain.until;
}

void VerifiedChains::add(const x509::Fingerprint& key, std::time_t now, Good good) {
  const auto until = std::min(now + kLifetime, good.until);
  if (until <= now) return;
  // What has ended goes first, then what ends soonest: it would be missed for the shortest time.
  if (chains_.size() >= kMost) {
    std::erase_if(chains_, [now](const auto& entry) { return !holds(entry.second, now); });
    if (chains_.size() >= kMost) {
      chains_.erase(std::ranges::min_element(chains_, {},
                                             [](const auto& entry) { return entry.second.until; }));
    }
  }
  chains_.insert_or_assign(key, Chain{now, until, good});
}

std::optional<VerifiedChains::Good> VerifiedChains::find(const x509::Fingerprint& key,
                                                         std::time_t now) const {
  const auto found = chains_.find(key);
  if (found == chains_.end() || !holds(found->second, now)) return std::nullopt;
  return found->second.good;
}

}  // namespace tunnel::tls
