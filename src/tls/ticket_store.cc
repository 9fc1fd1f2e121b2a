// SPDX-License-Identifier: MIT
#include "tls/ticket_store.h"

#include <utility>

namespace tunnel::tls {

void TicketStore::put(const x509::Fingerprint& key, Ticket ticket, std::time_t now) {
  if (ticket.expires <= now) return;
  auto found = index_.find(key);
  if (found == index_.end()) {
    shelves_.push_front({key, {}});
    found = index_.emplace(key, shelves_.begin()).first;
  } else {
    shelves_.splice(shelves_.begin(), shelves_, found->second);
  }
  const auto shelf = found->second;
  shelf->tickets.push_back({std::move(ticket), now});
  ++count_;
  if (shelf->tickets.size() > kPerKey) drop_oldest(shelf);
  if (count_ > kInAll) drop_oldest(std::prev(shelves_.end()));
}

// A ticket leaves the store, used or not. One that is offered twice shows an observer that two
// connections are from the same client (RFC 8446 appendix C.4).
std::optional<Ticket> TicketStore::take(const x509::Fingerprint& key, std::time_t now) {
  const auto found = index_.find(key);
  if (found == index_.end()) return std::nullopt;
  const auto shelf = found->second;
  std::optional<Ticket> taken;
  while (!taken && !shelf->tickets.empty()) {
    Kept& newest = shelf->tickets.back();
    if (newest.since <= now && now < newest.ticket.expires) taken = std::move(newest.ticket);
    shelf->tickets.pop_back();
    --count_;
  }
  if (shelf->tickets.empty()) {
    index_.erase(found);
    shelves_.erase(shelf);
  } else {
    shelves_.splice(shelves_.begin(), shelves_, shelf);
  }
  return taken;
}

void TicketStore::forget(const x509::Fingerprint& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return;
  count_ -= found->second->tickets.size();
  shelves_.erase(found->second);
  index_.erase(found);
}

// A key stands for one context, so tickets of one shelf have it in common.
void TicketStore::drop_orphans() {
  std::erase_if(shelves_, [this](const Shelf& shelf) {
    if (!shelf.tickets.front().ticket.context.expired()) return false;
    count_ -= shelf.tickets.size();
    index_.erase(shelf.key);
    return true;
  });
}

void TicketStore::drop_oldest(Shelves::iterator shelf) {
  shelf->tickets.erase(shelf->tickets.begin());
  --count_;
  if (!shelf->tickets.empty()) return;
  index_.erase(shelf->key);
  shelves_.erase(shelf);
}

}  // namespace tunnel::tls
