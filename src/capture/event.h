// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"

namespace tunnel::capture {

enum class Way : std::uint8_t { from_client, from_target };

// One stream as a capture shows it: a TCP connection between two IP addresses.
struct Flow {
  std::string service;
  SocketAddress client;
  SocketAddress target;
  std::string target_name;  // as it is configured; empty: none but its address
  std::string comment;      // of the first packet
};

// What happened to a flow, from the worker that saw it to the thread that writes it down. A value.
struct Event {
  enum class What : std::uint8_t {
    opened,  // its `flow`
    octets,  // that went one `way`
    fin,     // of the side that `way` comes from
    reset,
    secrets,  // `text`: lines of a key log, for what comes from now on
    remark,   // `text`: for the comment of the next packet
    closed,   // `text`: how it ended. The last one
  };
  What what = What::octets;
  Way way = Way::from_client;
  std::uint32_t number = 0;  // of the flow, in its capture
  std::uint64_t at = 0;      // nanoseconds since 1970
  // Octets: their place in the batch, and how many there were (more than are kept with a snaplen).
  std::size_t begin = 0;
  std::uint32_t kept = 0;
  std::uint32_t size = 0;
  // What was dropped of this way, right before.
  std::uint64_t lost_octets = 0;
  std::uint32_t lost_packets = 0;
  std::unique_ptr<Flow> flow{};
  std::string text{};
};

// The events of one turn of a worker's loop.
struct Batch {
  std::vector<Event> events;
  std::vector<std::byte> octets;
};

}  // namespace tunnel::capture
