// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "balance/target.h"
#include "base/address.h"
#include "config/model.h"
#include "tunnel/address_book.h"

namespace tunnel {

// Where a dial connects to: its target, or a proxy on the way there. A value.
struct Hop {
  std::string host;  // a name, an IP address, or the path of a unix socket
  std::uint16_t port = 0;
  std::string text;      // for sentences: "dc1.example.com:636", "the proxy gate.example.com"
  bool is_name = false;  // to be resolved; else `address` says where it is
  std::optional<SocketAddress> address;
  const config::Proxy* proxy = nullptr;  // null: the target itself; else it outlives the hop

  // Those known now, with the port.
  [[nodiscard]] std::vector<SocketAddress> addresses(const AddressBook& book) const;
};

// The ways to `target`, of which one suffices: to itself, or through each of the proxies as they
// are written, but for those that have failed lately: each would cost a timeout again.
[[nodiscard]] std::vector<Hop> hops_to(const balance::Endpoint& target,
                                       const std::vector<config::Proxy>& proxies,
                                       AddressBook& book);

}  // namespace tunnel
