// SPDX-License-Identifier: MIT
#include "import/stunnel_address.h"

namespace tunnel::import {

std::string StunnelAddress::text(std::string_view other) const {
  if (is_path) return host;
  const std::string name = is_port_alone ? std::string(other) : host;
  return (name.find(':') != std::string::npos ? "[" + name + "]" : name) + ":" + port;
}

Result<StunnelAddress> parse_stunnel_address(std::string_view text) {
  StunnelAddress address;
  if (text.starts_with('/')) {
    address.is_path = true;
    address.host = text;
    return address;
  }
  const std::size_t colon = text.rfind(':');
  address.is_port_alone = colon == std::string_view::npos;
  address.port = address.is_port_alone ? text : text.substr(colon + 1);
  if (address.port.empty()) return failed(ErrorCode::invalid, "the port is missing");
  if (address.is_port_alone) return address;
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty()) return failed(ErrorCode::invalid, "the host in front of \":\" is missing");
  address.host = host;
  return address;
}

}  // namespace tunnel::import
