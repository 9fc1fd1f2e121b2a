// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "capture/event.h"
#include "capture/pcapng.h"
#include "capture/segment.h"

namespace tunnel::capture {

// Makes a capture file of events: the packets that two TCP hosts would have sent, with their
// handshake, acknowledgements and ends, and what a reader needs before them. Each file is complete
// for itself. Pure; one thread.
class Composer {
 public:
  struct Settings {
    std::string program;      // "tunnel 0.1.0"
    std::string comment;      // of each file
    std::string description;  // of each interface
    std::string filter;       // of the clients, for people
    std::uint32_t salt = 0;   // for initial sequence numbers
  };
  explicit Composer(Settings settings);

  // Each appends to `out`. Times are nanoseconds since 1970.
  void begin_file(std::string& out, std::uint64_t now);
  void add(std::string& out, const Event& event, Bytes octets);
  void end_file(std::string& out, std::uint64_t now);
  // Secrets must stand before the packets that need them: of a batch they come first.
  void add_secrets(std::string& out, const Event& event);

  [[nodiscard]] std::uint64_t packets() const { return packets_; }

 private:
  struct Side {
    std::uint32_t next = 0;  // the sequence number of its next octet
    bool has_ended = false;
  };
  struct Stream {
    Flow flow;
    std::uint32_t interface = 0;  // in the order of their first packets, in all files
    Side client, target;
    std::uint64_t dropped = 0;  // packets, to be told with the next one
    bool is_open = false;       // false: only its secrets are known
    bool is_reset = false;
    // The packet with which it ends waits for the comment of its `closed`.
    bool is_end_held = false;
    Way held_way = Way::from_client;
    std::uint64_t held_at = 0;
    std::string remark;
    std::string secrets;
  };
  struct Interface {
    std::string service;
    std::uint64_t packets = 0, dropped = 0;  // of this file
    bool is_in_file = false;
    std::uint32_t number = 0;  // in this file
  };
  struct Marks {
    std::uint8_t flags = 0;
    Bytes payload{};
    std::size_t original = 0;
    std::string_view comment{};
  };

  void open(std::string& out, const Event& event);
  void add_octets(std::string& out, Stream& stream, const Event& event, Bytes octets);
  void end_side(std::string& out, Stream& stream, const Event& event);
  void reset(std::string& out, Stream& stream, const Event& event);
  void close(std::string& out, Stream& stream, const Event& event);
  void hold_end(Stream& stream, Way way, std::uint64_t at);
  void packet(std::string& out, Stream& stream, Way way, std::uint64_t at, const Marks& marks);
  [[nodiscard]] std::uint32_t interface_in_file(std::string& out, std::uint32_t index);
  void name(std::string& out, const Flow& flow);

  const Settings settings_;
  std::unordered_map<std::uint32_t, Stream> streams_;
  std::vector<Interface> interfaces_;
  std::uint32_t interfaces_in_file_ = 0;
  std::set<std::string> names_in_file_;  // octets of addresses
  std::uint64_t file_began_ = 0;
  std::uint64_t packets_ = 0;
};

}  // namespace tunnel::capture
