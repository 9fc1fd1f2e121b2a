// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balance/target.h"
#include "config/model.h"

namespace tunnel::balance {

struct SrvRecord {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  std::string host;  // without the final dot; "." or "" says that there is no such service
};

// What DNS says at the moment, by the name asked for. A name that is missing here is not resolved
// yet (or never was): as SRV it gives no target, as an expanded name it stays one target.
struct Answers {
  std::map<std::string, std::vector<SrvRecord>, std::less<>> srv;
  std::map<std::string, std::vector<SocketAddress>, std::less<>> addresses;  // ports do not matter
};

// A target's place, before it has state.
struct Place {
  Endpoint endpoint;
  std::uint32_t weight = 1;
  std::optional<std::uint32_t> max_connections;
  bool is_out = false;  // an operator has ejected it
  friend bool operator==(const Place&, const Place&) = default;
};
using Arrangement = std::vector<std::vector<Place>>;

// `connect` and the DNS answers as groups of endpoints; compare two to see whether anything
// changed. SRV priorities become groups in the place of the group that names the SRV (its other
// targets stand with the best priority), SRV weights weights. Order of answers does not matter.
[[nodiscard]] Arrangement arrange(const config::TargetGroups& connect, const Answers& answers);

// The domain that an SRV owner name is about: "_ldap._tcp.example.com" is about "example.com".
[[nodiscard]] std::string_view srv_domain(std::string_view owner);
// Whether `host` is `domain` or below it.
[[nodiscard]] bool is_inside(std::string_view host, std::string_view domain);

}  // namespace tunnel::balance
