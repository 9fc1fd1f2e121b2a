// SPDX-License-Identifier: MIT
// What a peer that does not speak TLS seems to speak. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace tunnel::tls {

enum class Protocol : std::uint8_t {
  unknown,
  ssl2,
  smtp,
  lmtp,
  ftp,
  imap,
  pop3,
  nntp,
  sieve,
  ssh,
  http,
  ldap,
  pgsql,
  mysql,
  xmpp,
  redis,
  vnc,
};

// Whether bytes can be the beginning of a TLS record from a server (RFC 8446 section 5.1): a type
// and major version 3. As many of them as there are.
[[nodiscard]] bool may_be_tls(Bytes first);

// The protocol that a greeting gives away; `port` decides where the words leave it open.
[[nodiscard]] Protocol protocol_of_greeting(Bytes greeting, std::uint16_t port);

// The plaintext protocol that usually lives on a port, or unknown.
[[nodiscard]] Protocol protocol_of_port(std::uint16_t port);

}  // namespace tunnel::tls
