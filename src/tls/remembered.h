// SPDX-License-Identifier: MIT
#pragma once

#include <ctime>

#include "tls/refused_tickets.h"
#include "tls/ticket_store.h"
#include "tls/verified_chains.h"

namespace tunnel::tls {

// What makes the next handshake with a server cheaper. Loop-bound: one for each worker, who owns
// it; it outlives the worker's sessions.
struct Remembered {
  // Wall time, because certificates speak of it. Replaced in tests.
  std::time_t (*now)() = [] { return std::time(nullptr); };
  TicketStore tickets;
  RefusedTickets refused;
  VerifiedChains chains;
};

}  // namespace tunnel::tls
