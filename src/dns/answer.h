// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/clock.h"

namespace tunnel::dns {

// By their numbers: RFC 1035 section 3.2.2, RFC 3596 section 2.1, RFC 2782.
enum class RecordType : std::uint16_t { a = 1, aaaa = 28, srv = 33 };

// How a question to the name servers ended.
enum class Status : std::uint8_t {
  ok,           // there are records
  nxdomain,     // the name does not exist
  nodata,       // the name exists, without records of this type
  servfail,     // the servers failed or refused to answer; old c-ares calls this unreachable
  timeout,      // no server answered
  unreachable,  // no server could be reached
  malformed,    // an answer that makes no sense, or is cut off
  bad_name,     // not a DNS name
  failed,       // anything else: no memory, no descriptors, resolv.conf cannot be read
};

inline constexpr std::size_t kStatuses = 9;

// "ok", "nxdomain", ...: one word for each.
[[nodiscard]] std::string_view word(Status status);
// For people: "no such name (NXDOMAIN)".
[[nodiscard]] std::string_view describe(Status status);

// One SRV record (RFC 2782). `target` is absolute, without the dot at the end.
struct Service {
  std::string target;
  std::uint16_t port = 0;
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  friend auto operator<=>(const Service&, const Service&) = default;
  friend bool operator==(const Service&, const Service&) = default;
};

// What came back for one question. A value.
struct Answer {
  Status status = Status::failed;
  std::vector<SocketAddress> addresses;  // a, aaaa: port 0, in the server's order, no duplicates
  std::vector<Service> services;         // srv: without unusable ones
  Millis ttl{0};                         // the shortest one of the records used
};

}  // namespace tunnel::dns
