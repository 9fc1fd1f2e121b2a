// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace tunnel::tls {

// Whom a session expects at the other end.
struct Peer {
  std::string target;              // as logs name it: "dc1.example.com:636"
  std::vector<std::string> names;  // one must be in the certificate (Verify::full)
  std::string sni;                 // "" sends none; an IP address is never sent
  // Which of the context's offers to make; none: the one that the server has accepted before, or
  // the first. See Session::next_attempt.
  std::optional<std::size_t> attempt{};
};

}  // namespace tunnel::tls
