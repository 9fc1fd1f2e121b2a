// SPDX-License-Identifier: MIT
#include "capture/plaintext_port.h"

#include <array>

namespace tunnel::capture {
namespace {

// 0: it has none of its own.
std::uint16_t port_of(config::Starttls protocol, std::uint16_t target) {
  using config::Starttls;
  switch (protocol) {
    case Starttls::none:
      return 0;
    case Starttls::ldap:
      return target == 3268 || target == 3269 ? 3268 : 389;
    case Starttls::smtp:
      return target == 587 ? 587 : 25;
    case Starttls::lmtp:
      return 24;
    case Starttls::imap:
      return 143;
    case Starttls::pop3:
      return 110;
    case Starttls::nntp:
      return 119;
    case Starttls::pgsql:
      return 5432;
    case Starttls::mysql:
      return 3306;
    case Starttls::ftp:
      return 21;
    case Starttls::xmpp:
      return target == 5269 ? 5269 : 5222;
    case Starttls::sieve:
      return 4190;
  }
  return 0;
}

std::uint16_t port_of(config::Check check, std::uint16_t target) {
  using config::Check;
  using config::Starttls;
  switch (check) {
    case Check::none:
    case Check::tcp:
    case Check::tls:
      return 0;
    case Check::ldap:
      return port_of(Starttls::ldap, target);
    case Check::smtp:
      return port_of(Starttls::smtp, target);
    case Check::imap:
      return port_of(Starttls::imap, target);
    case Check::pop3:
      return port_of(Starttls::pop3, target);
    case Check::pgsql:
      return port_of(Starttls::pgsql, target);
    case Check::mysql:
      return port_of(Starttls::mysql, target);
    case Check::redis:
      return 6379;
  }
  return 0;
}

struct Twins {
  std::uint16_t tls, plaintext;
};
// Wireshark expects TLS at the ports on the left, and would show plaintext there as broken records.
constexpr auto kTwins = std::to_array<Twins>({
    {636, 389},
    {3269, 3268},
    {465, 25},
    {993, 143},
    {995, 110},
    {563, 119},
    {990, 21},
    {992, 23},
    {5223, 5222},
    {853, 53},
    {6514, 601},
    {8883, 1883},
    {5671, 5672},
    {443, 80},
});

}  // namespace

std::uint16_t plaintext_port(const config::Service& service, std::uint16_t target) {
  if (service.capture && service.capture->port) return *service.capture->port;
  if (const auto port = port_of(service.starttls, target)) return port;
  if (const auto port = port_of(service.health.check, target)) return port;
  for (const Twins& twins : kTwins) {
    if (twins.tls == target) return twins.plaintext;
  }
  return target;
}

}  // namespace tunnel::capture
