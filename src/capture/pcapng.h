// SPDX-License-Identifier: MIT
// The blocks of a capture file (draft-ietf-opsawg-pcapng, version 1.0), little-endian. Each
// function appends one whole block. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace tunnel::capture::pcapng {

// A section: the beginning of each file.
void append_section(std::string& out, std::string_view program, std::string_view comment);

struct Interface {
  std::string_view name;
  std::string_view description;
  std::string_view filter;  // for people; empty: none
};
// Packets begin with an IPv4 or IPv6 header (LINKTYPE_RAW), stamped in nanoseconds. Interfaces are
// numbered in the order in which they come in a section, from 0.
void append_interface(std::string& out, const Interface& interface);

struct Packet {
  std::uint32_t interface = 0;
  std::uint64_t at = 0;        // nanoseconds since 1970
  std::uint32_t captured = 0;  // octets of the packet that follow
  std::uint32_t original = 0;  // octets it had
  bool is_inbound = false;     // from the target
  std::uint64_t dropped = 0;   // packets that are missing before it
  std::string_view comment{};
};
// Around the packet's own octets, which the caller appends in between.
void begin_packet(std::string& out, const Packet& packet);
void end_packet(std::string& out, const Packet& packet);

// `address` is 4 octets of IPv4 or 16 of IPv6.
void append_name(std::string& out, Bytes address, std::string_view name);

// Lines of an NSS key log, each with its newline.
void append_secrets(std::string& out, std::string_view lines);

struct Statistics {
  std::uint32_t interface = 0;
  std::uint64_t began = 0, ended = 0;  // nanoseconds since 1970
  std::uint64_t packets = 0, dropped = 0;
};
void append_statistics(std::string& out, const Statistics& statistics);

}  // namespace tunnel::capture::pcapng
