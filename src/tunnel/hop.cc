// SPDX-License-Identifier: MIT
#include "tunnel/hop.h"

#include <algorithm>

namespace tunnel {
namespace {

Hop hop_to(const balance::Endpoint& target) {
  Hop hop{.host = target.host, .port = target.port, .text = target.text, .address = target.address};
  if (hop.address) return hop;
  switch (target.form) {
    case config::Target::Form::unix_socket:
      if (const auto path = SocketAddress::unix_path(target.host)) hop.address = *path;
      return hop;
    case config::Target::Form::ip:
      hop.address = SocketAddress::parse_ip(target.host, target.port);
      return hop;
    case config::Target::Form::name:
    case config::Target::Form::srv:
      break;
  }
  hop.is_name = true;
  return hop;
}

Hop hop_through(const config::Proxy& proxy) {
  const auto address = SocketAddress::parse_ip(proxy.host, proxy.port);
  return {.host = proxy.host,
          .port = proxy.port,
          .text = "the proxy " + proxy.host,
          .is_name = !address,
          .address = address,
          .proxy = &proxy};
}

bool seems_dead(const Hop& hop, AddressBook& book) {
  // Not asked yet, so nothing is known against it. A name that does not resolve has an answer
  // without addresses, and counts as dead.
  if (hop.is_name && book.find(hop.host) == nullptr) return false;
  return std::ranges::all_of(
      hop.addresses(book), [&](const SocketAddress& address) { return book.has_failed(address); });
}

}  // namespace

std::vector<SocketAddress> Hop::addresses(const AddressBook& book) const {
  if (address) return {*address};
  if (!is_name) return {};
  const AddressBook::Answer* answer = book.find(host);
  if (answer == nullptr) return {};
  std::vector<SocketAddress> found = answer->addresses;
  for (SocketAddress& each : found) each.set_port(port);
  return found;
}

std::vector<Hop> hops_to(const balance::Endpoint& target, const std::vector<config::Proxy>& proxies,
                         AddressBook& book) {
  if (proxies.empty()) return {hop_to(target)};
  std::vector<Hop> hops;
  for (const config::Proxy& proxy : proxies) hops.push_back(hop_through(proxy));
  if (hops.size() > 1) {
    // Dead ones stay, as the last: when all seem dead, each is tried.
    (void)std::stable_partition(hops.begin(), hops.end(),
                                [&](const Hop& hop) { return !seems_dead(hop, book); });
  }
  return hops;
}

}  // namespace tunnel
