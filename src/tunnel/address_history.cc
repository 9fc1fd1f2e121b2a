// SPDX-License-Identifier: MIT
#include "tunnel/address_history.h"

#include <algorithm>

namespace tunnel {

bool AddressHistory::is_bad(const Entry& entry, TimePoint now) {
  return entry.is_silent || (entry.has_failed && now - entry.failed_at <= kMemory);
}

// Targets are few; the bound only guards against names whose addresses change all the time.
AddressHistory::Entry& AddressHistory::entry(const SocketAddress& address, TimePoint now) {
  if (entries_.size() >= kMost && !entries_.contains(address)) {
    std::erase_if(entries_, [now](const auto& each) { return !is_bad(each.second, now); });
    if (entries_.size() >= kMost) entries_.clear();
  }
  return entries_[address];
}

void AddressHistory::failed(const SocketAddress& address, TimePoint now) {
  const std::lock_guard lock(mutex_);
  Entry& known = entry(address, now);
  known.has_failed = true;
  known.failed_at = now;
}

void AddressHistory::won(const SocketAddress& winner, std::span<const SocketAddress> silent,
                         TimePoint now) {
  const std::lock_guard lock(mutex_);
  for (const SocketAddress& loser : silent) entry(loser, now).is_silent = true;
  Entry& known = entry(winner, now);
  // It has answered, no more: whether it serves a whole dial is for worked() to say.
  known.is_silent = false;
  known.won = ++races_;
}

void AddressHistory::worked(const SocketAddress& address) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(address);
  if (found != entries_.end()) found->second.has_failed = false;
}

void AddressHistory::forget(std::span<const SocketAddress> addresses) {
  if (addresses.empty()) return;
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const auto& each) {
    // What leaves a name's answer has no port, and entries have those of the targets.
    SocketAddress known = each.first;
    return std::any_of(addresses.begin(), addresses.end(), [&](SocketAddress gone) {
      gone.set_port(0);
      known.set_port(0);
      return known == gone;
    });
  });
}

bool AddressHistory::has_failed(const SocketAddress& address, TimePoint now) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(address);
  return found != entries_.end() && is_bad(found->second, now);
}

// Never takes an address away: one that seems dead is tried last, for it may be all that is left.
void AddressHistory::order(std::vector<SocketAddress>& addresses, TimePoint now) {
  if (addresses.size() < 2) return;
  const std::lock_guard lock(mutex_);
  if (entries_.empty()) return;
  const auto known = [&](const SocketAddress& address) {
    const auto found = entries_.find(address);
    return found == entries_.end() ? Entry{} : found->second;
  };
  const auto bad = std::stable_partition(
      addresses.begin(), addresses.end(),
      [&](const SocketAddress& address) { return !is_bad(known(address), now); });
  if (bad == addresses.begin()) {
    for (const SocketAddress& address : addresses) entries_.erase(address);
    return;
  }
  const auto winner = std::max_element(
      addresses.begin(), bad,
      [&](const SocketAddress& a, const SocketAddress& b) { return known(a).won < known(b).won; });
  if (known(*winner).won > 0) std::rotate(addresses.begin(), winner, std::next(winner));
}

}  // namespace tunnel
