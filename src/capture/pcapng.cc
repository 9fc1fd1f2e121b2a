// SPDX-License-Identifier: MIT
#include "capture/pcapng.h"

#include <array>
#include <bit>
#include <cstring>

namespace tunnel::capture::pcapng {
namespace {

static_assert(std::endian::native == std::endian::little,
              "blocks are written as they are in memory");

enum : std::uint32_t {
  kInterface = 1,
  kName = 4,
  kStatistics = 5,
  kPacket = 6,
  kSecrets = 10,
  kSection = 0x0A0D0D0A,
};
constexpr std::uint32_t kTlsKeyLog = 0x544c534b;
// LINKTYPE_RAW: the first octet says whether it is IPv4 or IPv6, so no MAC addresses have to be
// made up, and both may be on one interface.
constexpr std::uint16_t kRawIp = 101;
// What Wireshark takes at most.
constexpr std::uint32_t kLongestPacket = 262'144;
constexpr std::uint16_t kLongestComment = 8'192;

enum Option : std::uint16_t {
  kComment = 1,
  // of a section
  kProgram = 4,
  // of an interface
  kIfName = 2,
  kIfDescription = 3,
  kIfResolution = 9,
  kIfFilter = 11,
  // of a packet
  kFlags = 2,
  kDropCount = 4,
  // of statistics
  kStarted = 2,
  kEnded = 3,
  kReceived = 4,
  kDropped = 7,
};

template <class T>
void put(std::string& out, T value) {
  char octets[sizeof value];
  std::memcpy(octets, &value, sizeof value);
  out.append(octets, sizeof octets);
}

constexpr std::size_t padding(std::size_t size) { return (4 - size % 4) % 4; }

void put_padded(std::string& out, std::string_view octets) {
  out.append(octets);
  out.append(padding(octets.size()), '\0');
}

void put_option(std::string& out, std::uint16_t code, std::string_view value) {
  put(out, code);
  put(out, static_cast<std::uint16_t>(value.size()));
  put_padded(out, value);
}

template <class T>
void put_number(std::string& out, std::uint16_t code, T value) {
  std::string octets;
  put(octets, value);
  put_option(out, code, octets);
}

void put_stamp(std::string& out, std::uint16_t code, std::uint64_t at) {
  std::string octets;
  put(octets, static_cast<std::uint32_t>(at >> 32U));
  put(octets, static_cast<std::uint32_t>(at));
  put_option(out, code, octets);
}

// The text of an option, which has a longest length; a character is not cut.
std::string_view shortened(std::string_view text) {
  if (text.size() <= kLongestComment) return text;
  std::size_t end = kLongestComment;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

void end_options(std::string& out) { put(out, std::uint32_t{0}); }

void append_block(std::string& out, std::uint32_t type, std::string_view body) {
  const auto length = static_cast<std::uint32_t>(12 + body.size() + padding(body.size()));
  put(out, type);
  put(out, length);
  put_padded(out, body);
  put(out, length);
}

std::string options_of(const Packet& packet) {
  std::string options;
  // Direction: 1 is inbound, 2 outbound.
  put_number(options, kFlags, std::uint32_t{packet.is_inbound ? 1U : 2U});
  if (packet.dropped > 0) put_number(options, kDropCount, packet.dropped);
  if (!packet.comment.empty()) put_option(options, kComment, shortened(packet.comment));
  end_options(options);
  return options;
}

constexpr std::size_t kPacketHead = 28;  // block type to original length

}  // namespace

void append_section(std::string& out, std::string_view program, std::string_view comment) {
  std::string body;
  put(body, std::uint32_t{0x1A2B3C4D});
  put(body, std::uint16_t{1});
  put(body, std::uint16_t{0});
  put(body, std::int64_t{-1});  // its length: see how far it goes
  put_option(body, kComment, comment);
  put_option(body, kProgram, program);
  end_options(body);
  append_block(out, kSection, body);
}

void append_interface(std::string& out, const Interface& interface) {
  std::string body;
  put(body, kRawIp);
  put(body, std::uint16_t{0});
  put(body, kLongestPacket);
  put_option(body, kIfName, shortened(interface.name));
  put_option(body, kIfDescription, shortened(interface.description));
  // Units of 10^-9 s; without the option it would be 10^-6.
  put_option(body, kIfResolution, std::string_view("\x09", 1));
  if (!interface.filter.empty()) {
    // A zero in front: what follows is a text, not code for a filter machine.
    put_option(body, kIfFilter, std::string(1, '\0') + std::string(shortened(interface.filter)));
  }
  end_options(body);
  append_block(out, kInterface, body);
}

// In two halves, so that the packet's octets are appended to the file's and not copied into a block
// first. The length stands in front, so the options are made twice.
void begin_packet(std::string& out, const Packet& packet) {
  const std::size_t size =
      kPacketHead + packet.captured + padding(packet.captured) + options_of(packet).size() + 4;
  put(out, std::uint32_t{kPacket});
  put(out, static_cast<std::uint32_t>(size));
  put(out, packet.interface);
  put(out, static_cast<std::uint32_t>(packet.at >> 32U));
  put(out, static_cast<std::uint32_t>(packet.at));
  put(out, packet.captured);
  put(out, packet.original);
}

void end_packet(std::string& out, const Packet& packet) {
  const std::string options = options_of(packet);
  out.append(padding(packet.captured), '\0');
  out.append(options);
  put(out, static_cast<std::uint32_t>(kPacketHead + packet.captured + padding(packet.captured) +
                                      options.size() + 4));
}

void append_name(std::string& out, Bytes address, std::string_view name) {
  std::string record(as_text(address));
  record += shortened(name);
  record += '\0';
  std::string body;
  put_option(body, address.size() == 4 ? 1 : 2, record);
  end_options(body);  // of the records
  append_block(out, kName, body);
}

void append_secrets(std::string& out, std::string_view lines) {
  std::string body;
  put(body, kTlsKeyLog);
  put(body, static_cast<std::uint32_t>(lines.size()));
  put_padded(body, lines);
  append_block(out, kSecrets, body);
}

void append_statistics(std::string& out, const Statistics& statistics) {
  std::string body;
  put(body, statistics.interface);
  put(body, static_cast<std::uint32_t>(statistics.ended >> 32U));
  put(body, static_cast<std::uint32_t>(statistics.ended));
  put_stamp(body, kStarted, statistics.began);
  put_stamp(body, kEnded, statistics.ended);
  put_number(body, kReceived, statistics.packets);
  put_number(body, kDropped, statistics.dropped);
  end_options(body);
  append_block(out, kStatistics, body);
}

}  // namespace tunnel::capture::pcapng
