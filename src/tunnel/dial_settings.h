// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "balance/target.h"
#include "base/address.h"
#include "config/model.h"
#include "preamble/preamble.h"
#include "tls/session.h"

namespace tunnel {

// How targets of one service are dialled: constant for the life of the snapshot, shared by its
// dials.
struct DialSettings {
  config::Timeouts timeouts;
  config::Keepalive keepalive;
  std::optional<SocketAddress> bind;
  const tls::Context* tls = nullptr;         // null: plain TCP
  std::vector<std::string> names;            // tls.name; empty: the target's host
  std::optional<std::string> sni;            // tls.sni
  bool needs_name = false;                   // verify = "full": the certificate must carry a name
  const config::Service* service = nullptr;  // whose target it is; set before any dial
  [[nodiscard]] bool has_preamble() const {
    return !service->proxies.empty() || service->send_proxy != config::SendProxy::none ||
           service->starttls != config::Starttls::none;
  }
};

// For whom a target is dialled.
struct Caller {
  preamble::Purpose purpose = preamble::Purpose::client;
  SocketAddress client{};    // for the PROXY header
  SocketAddress accepted{};  // the address that the client had connected to
  // Null for a check: it makes a full handshake each time, because that is what it
  // is to check, and takes no ticket from a client's connection.
  tls::Remembered* remembered = nullptr;
  tls::Evidence* evidence = nullptr;  // gets what is seen of the server, for a report
};

// Whom a session with `target` must find at the other end.
[[nodiscard]] x509::Peer expected_peer(const balance::Endpoint& target,
                                       const DialSettings& settings);

}  // namespace tunnel
