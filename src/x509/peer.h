// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tunnel::x509 {

// Whom a session expects at the other end.
struct Peer {
  std::string target;              // as logs name it: "dc1.example.com:636"
  std::vector<std::string> names;  // one must be in the certificate (Verify::full)
  std::string sni;                 // "" sends none; an IP address is never sent
  // Which of the context's offers to make; none: the one that the server has accepted before, or
  // the first. See tls::Session::next_attempt.
  std::optional<std::size_t> attempt{};
};

// Whether a name of a certificate names a host: "email:..." and "uri:..." do not.
[[nodiscard]] inline bool names_host(std::string_view name) {
  return !name.starts_with("email:") && !name.starts_with("uri:");
}
// The first name that does, or what to take when there is none.
[[nodiscard]] inline std::string host_of(const Peer& peer, const std::string& otherwise) {
  for (const auto& name : peer.names) {
    if (names_host(name)) return name;
  }
  return otherwise;
}

}  // namespace tunnel::x509
