// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "balance/walk.h"
#include "base/address.h"
#include "tunnel/connection.h"
#include "tunnel/dial.h"
#include "tunnel/failed_attempts.h"
#include "uv/timer.h"

namespace tunnel {

// What a connection needs until a target is established. Owned by it, on its loop.
struct Connection::Dialing {
  Dialing(Connection& connection, Service& service, const SocketAddress& its_address);
  void silence();  // nothing of it calls the connection any more

  const SocketAddress address;  // the client's
  balance::Walk walk;
  std::vector<SocketAddress> tried;  // addresses: none is tried twice for one connection
  FailedAttempts attempts;
  std::string failure;  // for a service with one client: why no target could be reached, in full
  std::uint32_t changes = 0;  // that the service had seen when the last target was claimed
  // What can call the connection: silenced by silence(), all of them.
  std::unique_ptr<Dial> dial;
  uv::Timer deadline;
  // Waiting: when to look again for a target. Lost: when the client may be reset.
  uv::Timer retry;
  bool is_waiting_for_dns = false;
};

}  // namespace tunnel
