// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace load {

// What the clients do, all against 127.0.0.1:port. Each opens what it needs, prints "ready", waits
// for a line on standard input, works, prints one line of JSON, waits for the end of standard
// input, and ends. Any byte that is wrong, missing or too many ends the program with status 1.
struct Plan {
  std::uint16_t port = 0;
  std::uint64_t count = 0;        // bytes of each stream, connections, or requests
  std::uint64_t connections = 1;  // at once
  std::uint64_t in_flight = 1;    // requests on their way at once
};

void stream_down(const Plan& plan);
void stream_up(const Plan& plan);
void connect_often(const Plan& plan);   // a new connection and one request, `count` times
void request_often(const Plan& plan);   // requests on kept connections, all of them in turn
void request_slowly(const Plan& plan);  // one after the other, each timed

}  // namespace load
