// SPDX-License-Identifier: MIT
#pragma once

#include "balance/random.h"
#include "log/log.h"
#include "tunnel/address_book.h"
#include "uv/loop.h"

namespace tunnel {

// What everything on one loop that works for services uses: a worker's, or the supervisor's for its
// checks. All of it outlives them.
struct Surroundings {
  uv::Loop& loop;
  log::Log& log;
  AddressBook& book;
  balance::Random& random;
};

}  // namespace tunnel
