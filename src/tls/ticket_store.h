// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <ctime>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "x509/fingerprint.h"

namespace tunnel::tls {

// What a server gave us to shorten the next handshake: a TLS 1.3 ticket or a TLS 1.2 session, as
// GnuTLS packs it (with the certificates that the first, full handshake had shown).
struct Ticket {
  std::string data;
  // Not to be offered after it. Inherited by what a resumed session gets, so that after a time
  // there is a full handshake in any case.
  std::time_t expires = 0;
  // Lives as long as the context it was given to, the only one that can offer it.
  std::weak_ptr<const void> context{};
};

// Tickets by what they may be used for: context, target, names and server name, hashed to a key.
// Each is handed out once. A few for each key, the newest first; bounded as a whole, where the key
// that has not been used for longest loses first. Part of a Remembered, which locks it.
class TicketStore {
 public:
  static constexpr std::size_t kPerKey = 16;
  static constexpr std::size_t kInAll = 256;

  void put(const x509::Fingerprint& key, Ticket ticket, std::time_t now);
  [[nodiscard]] std::optional<Ticket> take(const x509::Fingerprint& key, std::time_t now);
  // One of them did harm.
  void forget(const x509::Fingerprint& key);
  // Those of contexts that have gone.
  void drop_orphans();

  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  struct Kept {
    Ticket ticket;
    std::time_t since;  // a clock that was set back makes it unusable
  };
  struct Shelf {
    x509::Fingerprint key;
    std::vector<Kept> tickets;  // the newest last; never empty
  };
  using Shelves = std::list<Shelf>;

  void drop_oldest(Shelves::iterator shelf);

  Shelves shelves_;  // the one used last in front
  std::unordered_map<x509::Fingerprint, Shelves::iterator, x509::FingerprintHash> index_;
  std::size_t count_ = 0;
};

}  // namespace tunnel::tls
