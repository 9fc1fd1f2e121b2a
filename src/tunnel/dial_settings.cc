// SPDX-License-Identifier: MIT
#include "tunnel/dial_settings.h"

#include <algorithm>

namespace tunnel {
namespace {

bool is_ip(const std::string& name) { return SocketAddress::parse_ip(name, 0).has_value(); }

}  // namespace

x509::Peer expected_peer(const balance::Endpoint& target, const DialSettings& settings) {
  x509::Peer peer;
  peer.target = target.text;
  if (!target.name.empty()) {
    peer.names = {target.name};
  } else if (!settings.names.empty()) {
    peer.names = settings.names;
  } else if (target.form != config::Target::Form::unix_socket) {
    peer.names = {target.host};
  }
  // RFC 6066, section 3: a server name is a DNS name, never an address, and has no dot at its end.
  if (settings.sni) {
    peer.sni = *settings.sni;
  } else {
    const auto name = std::find_if(
        peer.names.begin(), peer.names.end(),
        [](const std::string& each) { return !is_ip(each) && x509::names_host(each); });
    if (name != peer.names.end()) peer.sni = *name;
  }
  // A name may be written as a fully qualified one; certificates and SNI never carry the last dot.
  if (peer.sni.ends_with('.')) peer.sni.pop_back();
  for (std::string& name : peer.names) {
    if (name.ends_with('.')) name.pop_back();
  }
  return peer;
}

}  // namespace tunnel
