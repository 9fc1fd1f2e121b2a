// SPDX-License-Identifier: MIT
#include "tls/accepted_offers.h"

namespace tunnel::tls {

// The life counts from the first time: a server in steady use is asked anew, too.
void AcceptedOffers::accepted(const x509::Fingerprint& key, std::size_t attempt, std::time_t now) {
  if (const auto found = servers_.find(key); found != servers_.end()) {
    const bool is_known = found->second.attempt == attempt && find(key, now) == attempt;
    if (!is_known) found->second = {attempt, now};
    return;
  }
  // To begin anew costs each server one handshake with the first offer.
  if (servers_.size() >= kInAll) servers_.clear();
  servers_[key] = {attempt, now};
}

// A clock that was set back ends the life, too.
std::size_t AcceptedOffers::find(const x509::Fingerprint& key, std::time_t now) const {
  const auto found = servers_.find(key);
  if (found == servers_.end()) return 0;
  const auto& server = found->second;
  return server.since <= now && now < server.since + kLife ? server.attempt : 0;
}

}  // namespace tunnel::tls
