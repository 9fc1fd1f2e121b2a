// SPDX-License-Identifier: MIT
#include "tls/refused_tickets.h"

namespace tunnel::tls {

RefusedTickets::Server& RefusedTickets::server_of(const x509::Fingerprint& key) {
  // More servers than that: to begin anew costs each of them a few offers.
  if (servers_.size() >= kInAll && !servers_.contains(key)) servers_.clear();
  return servers_[key];
}

void RefusedTickets::refused(const x509::Fingerprint& key, std::time_t now) {
  Server& server = server_of(key);
  // The pause is over. The count goes on near its end, so that fewer refusals than at first begin
  // the next one.
  if (server.in_a_row >= kInARow && now >= server.since + kPause) {
    server.in_a_row = kInARow - kAgain;
  }
  if (server.in_a_row < kInARow) ++server.in_a_row;
  server.since = now;
}

void RefusedTickets::broke_off(const x509::Fingerprint& key, std::time_t now) {
  server_of(key) = {.in_a_row = kInARow, .since = now};
}

bool RefusedTickets::is_hopeless(const x509::Fingerprint& key, std::time_t now) const {
  const auto found = servers_.find(key);
  if (found == servers_.end() || found->second.in_a_row < kInARow) return false;
  return found->second.since <= now && now < found->second.since + kPause;
}

}  // namespace tunnel::tls
