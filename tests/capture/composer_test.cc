// SPDX-License-Identifier: MIT
#include "capture/composer.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

namespace tunnel::capture {
namespace {

using What = Event::What;

struct Block {
  std::uint32_t type = 0;
  std::string body;
};

template <class T>
T at(const std::string& octets, std::size_t offset) {
  T value{};
  REQUIRE(offset + sizeof value <= octets.size());
  std::memcpy(&value, octets.data() + offset, sizeof value);
  return value;
}

// The blocks of a file: each must tell its length at both ends.
std::vector<Block> blocks_of(const std::string& file) {
  std::vector<Block> blocks;
  for (std::size_t offset = 0; offset < file.size();) {
    const auto length = at<std::uint32_t>(file, offset + 4);
    REQUIRE(length % 4 == 0);
    REQUIRE(offset + length <= file.size());
    CHECK(at<std::uint32_t>(file, offset + length - 4) == length);
    blocks.push_back({at<std::uint32_t>(file, offset), file.substr(offset + 8, length - 12)});
    offset += length;
  }
  return blocks;
}

struct Packet {
  std::uint8_t flags = 0;
  std::uint32_t sequence = 0, acknowledged = 0;
  std::string payload;
  bool has_comment = false;
};

std::uint32_t network(const std::string& octets, std::size_t offset) {
  return __builtin_bswap32(at<std::uint32_t>(octets, offset));
}

std::vector<Packet> packets_of(const std::string& file) {
  std::vector<Packet> packets;
  for (const Block& block : blocks_of(file)) {
    if (block.type != 6) continue;
    const std::string ip = block.body.substr(20, at<std::uint32_t>(block.body, 12));
    const std::size_t header = 20 + (static_cast<unsigned char>(ip[32]) >> 4U) * 4U;
    packets.push_back({static_cast<std::uint8_t>(ip[33]), network(ip, 24), network(ip, 28),
                       ip.substr(header), block.body.find("closed") != std::string::npos});
  }
  return packets;
}

struct World {
  World() { composer.begin_file(out, 1); }

  void open(std::uint32_t number) {
    Event event{.what = What::opened, .number = number, .at = 5};
    event.flow = std::make_unique<Flow>(Flow{.service = "ldap",
                                             .client = *SocketAddress::parse_ip("10.0.0.1", 4000),
                                             .target = *SocketAddress::parse_ip("10.0.0.2", 389),
                                             .target_name = "dc1.example.com",
                                             .comment = "ldap[1]"});
    composer.add(out, event, {});
  }
  void say(Way way, std::string_view text, std::uint64_t lost = 0) {
    Event event{.what = What::octets, .way = way, .number = 1, .at = 6};
    event.size = event.kept = static_cast<std::uint32_t>(text.size());
    event.lost_octets = lost;
    event.lost_packets = lost > 0 ? 1 : 0;
    composer.add(out, event, as_bytes(text));
  }
  void tell(What what, Way way, std::string text = {}) {
    composer.add(out, {.what = what, .way = way, .number = 1, .at = 7, .text = std::move(text)},
                 {});
  }

  Composer composer{{.program = "test", .comment = "", .description = "", .filter = "", .salt = 9}};
  std::string out;
};

}  // namespace

TEST_CASE("a connection begins, speaks and ends as TCP does") {
  World world;
  world.open(1);
  world.say(Way::from_client, "hello");
  world.say(Way::from_target, "hi");
  world.tell(What::fin, Way::from_client);
  world.say(Way::from_target, "more");
  world.tell(What::fin, Way::from_target);
  world.tell(What::closed, Way::from_target, "closed");
  const auto packets = packets_of(world.out);
  REQUIRE(packets.size() == 9);
  CHECK(packets[0].flags == Segment::syn);
  CHECK(packets[1].flags == (Segment::syn | Segment::ack));
  CHECK(packets[1].acknowledged == packets[0].sequence + 1);
  CHECK(packets[2].flags == Segment::ack);
  CHECK(packets[3].payload == "hello");
  CHECK(packets[3].sequence == packets[0].sequence + 1);
  CHECK(packets[4].acknowledged == packets[3].sequence + 5);
  CHECK(packets[5].flags == (Segment::fin | Segment::ack));
  CHECK(packets[6].payload == "more");
  CHECK(packets[6].acknowledged == packets[5].sequence + 1);
  CHECK(packets[7].flags == (Segment::fin | Segment::ack));
  CHECK(packets[7].has_comment);
  CHECK(packets[8].acknowledged == packets[7].sequence + 1);
}

TEST_CASE("what follows on the same addresses begins with another sequence number") {
  World world;
  world.open(1);
  world.open(2);
  const auto packets = packets_of(world.out);
  CHECK(packets[0].sequence != packets[3].sequence);
}

TEST_CASE("what was dropped leaves a hole and is counted") {
  World world;
  world.open(1);
  world.say(Way::from_client, "a");
  world.say(Way::from_client, "b", 1000);
  const auto packets = packets_of(world.out);
  CHECK(packets[4].sequence == packets[3].sequence + 1 + 1000);
  world.composer.end_file(world.out, 9);
  const auto blocks = blocks_of(world.out);
  CHECK(blocks.back().type == 5);
}

TEST_CASE("a reset comes once, with how the connection ended") {
  World world;
  world.open(1);
  world.tell(What::reset, Way::from_client);
  world.tell(What::reset, Way::from_target);
  world.say(Way::from_target, "too late");
  world.tell(What::closed, Way::from_target, "closed");
  const auto packets = packets_of(world.out);
  REQUIRE(packets.size() == 4);
  CHECK(packets[3].flags == (Segment::rst | Segment::ack));
  CHECK(packets[3].has_comment);
}

TEST_CASE("a long read becomes packets that IP can hold") {
  World world;
  world.open(1);
  world.say(Way::from_client, std::string(200'000, 'x'));
  const auto packets = packets_of(world.out);
  REQUIRE(packets.size() == 7);
  CHECK(packets[3].payload.size() == Segment::kLongestPayload);
  CHECK(packets[4].sequence == packets[3].sequence + Segment::kLongestPayload);
}

TEST_CASE("each file is complete: keys and interfaces of what goes on are in the next one, too") {
  World world;
  world.composer.add_secrets(world.out,
                             {.what = What::secrets, .number = 1, .text = "CLIENT x y\n"});
  world.open(1);
  std::string next;
  world.composer.begin_file(next, 8);
  std::swap(world.out, next);
  world.say(Way::from_client, "on");
  const auto blocks = blocks_of(world.out);
  REQUIRE(blocks.size() == 5);
  CHECK(blocks[0].type == 0x0A0D0D0A);
  CHECK(blocks[1].type == 10);
  CHECK(blocks[1].body.find("CLIENT x y\n") != std::string::npos);
  CHECK(blocks[2].type == 1);
  CHECK(blocks[3].type == 4);
  CHECK(blocks[4].type == 6);
}

}  // namespace tunnel::capture
