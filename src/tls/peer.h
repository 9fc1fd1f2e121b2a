// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace tunnel::tls {

// Whom a session expects at the other end.
struct Peer {
  std::string target;              // as logs name it: "dc1.example.com:636"
  std::vector<std::string> names;  // one must be in the certificate (Verify::full)
  std::string sni;                 // "" sends none; an IP address is never sent
};

}  // namespace tunnel::tls
