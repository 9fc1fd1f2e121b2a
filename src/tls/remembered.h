// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <ctime>
#include <mutex>

#include "tls/accepted_offers.h"
#include "tls/refused_tickets.h"
#include "tls/ticket_store.h"
#include "tls/verified_chains.h"

namespace tunnel::tls {

// What makes the next handshake with a server cheaper, for all workers together: whichever of them
// has the next connection resumes what another one began. Any thread; outlives every session.
//
// Split by key into parts with a mutex each. It is held for one look into a table, twice or three
// times in a handshake (which costs a thousand times as much) and when a ticket comes, never for a
// byte of data.
class Remembered {
 public:
  static constexpr std::size_t kParts = 16;

  struct Part {
    TicketStore tickets;
    RefusedTickets refused;
    VerifiedChains chains;
    AcceptedOffers offers;
  };
  // The part of one key, for as long as this object lives: the end of an expression. A thread has
  // one of them at a time.
  class Locked {
   public:
    [[nodiscard]] Part* operator->() const { return &part_; }

   private:
    friend class Remembered;
    Locked(std::mutex& mutex, Part& part) : lock_(mutex), part_(part) {}
    std::unique_lock<std::mutex> lock_;
    Part& part_;
  };
  [[nodiscard]] Locked at(const x509::Fingerprint& key);

  // Tickets of contexts that have gone: nobody could offer them.
  void drop_orphans();

  [[nodiscard]] std::size_t ticket_count() const;
  [[nodiscard]] std::size_t chain_count() const;

  // Wall time, because certificates speak of it. Replaced in tests, before there are threads.
  std::time_t (*now)() = [] { return std::time(nullptr); };

 private:
  struct Slot {
    mutable std::mutex mutex;
    Part part;
  };
  std::array<Slot, kParts> slots_;
};

}  // namespace tunnel::tls
