// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/address.h"
#include "config/model.h"
#include "preamble/conversation.h"

namespace tunnel::preamble {

// One dial, as conversations see it. References are used only while make_* runs.
struct Route {
  const config::Service& service;
  std::string target;      // what logs call it: "dc1.example.com:636"
  std::string host;        // where the proxy is to connect to: a name or an IP address
  std::uint16_t port = 0;  // and its port
  std::string tls_name;    // the name that TLS will verify: XMPP's `to`
  SocketAddress client;    // for the PROXY header; unspecified: says nothing about a client
  SocketAddress accepted;  // the address that the client had connected to
  Purpose purpose = Purpose::client;
  const config::Proxy* proxy = nullptr;  // that of the service's that has been connected to
};

// All that comes before TLS, chained: proxy, then PROXY header, then STARTTLS. Never null; with
// nothing to do its on_start is `done`.
[[nodiscard]] std::unique_ptr<Conversation> make_preamble(const Route& route);

// The check's question and answer over the established channel (after STARTTLS where there is one),
// with a polite end; null for `none`, `tcp` and `tls`, which ask nothing.
[[nodiscard]] std::unique_ptr<Conversation> make_check(config::Check check, const Route& route);

}  // namespace tunnel::preamble
