// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

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
  std::size_t worker = 0;  // which one it is, where it is one
};

}  // namespace tunnel
