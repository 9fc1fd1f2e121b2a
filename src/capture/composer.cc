// SPDX-License-Identifier: MIT
#include "capture/composer.h"

#include <algorithm>
#include <utility>

namespace tunnel::capture {
namespace {

using What = Event::What;

// Connections that follow each other on the same addresses must begin elsewhere, or a reader takes
// the later for a repetition of the earlier.
constexpr std::uint32_t kBetweenFlows = 1U << 20U;
constexpr std::uint32_t kBetweenSides = 0x5bd1e995;

}  // namespace

Composer::Composer(Settings settings) : settings_(std::move(settings)) {}

void Composer::begin_file(std::string& out, std::uint64_t now) {
  file_began_ = now;
  interfaces_in_file_ = 0;
  names_in_file_.clear();
  // Their places stay, by which streams know them; their numbers are given anew in each file.
  for (Interface& interface : interfaces_) interface = {.service = std::move(interface.service)};
  pcapng::append_section(out, settings_.program, settings_.comment);
  // Of what goes on from the file before.
  for (const auto& [number, stream] : streams_) {
    // A reader may have this file of the ring alone.
    if (!stream.secrets.empty()) pcapng::append_secrets(out, stream.secrets);
  }
}

void Composer::end_file(std::string& out, std::uint64_t now) {
  for (const Interface& interface : interfaces_) {
    if (!interface.is_in_file) continue;
    pcapng::append_statistics(out, {.interface = interface.number,
                                    .began = file_began_,
                                    .ended = now,
                                    .packets = interface.packets,
                                    .dropped = interface.dropped});
  }
}

// Before add() has seen the stream's `opened`, which may be in the same batch: what is noted here
// is not open yet.
void Composer::add_secrets(std::string& out, const Event& event) {
  pcapng::append_secrets(out, event.text);
  streams_[event.number].secrets += event.text;
}

void Composer::add(std::string& out, const Event& event, Bytes octets) {
  if (event.what == What::opened) return open(out, event);
  const auto found = streams_.find(event.number);
  // Its beginning was lost, when there was no room even for that.
  if (found == streams_.end() || !found->second.is_open) return;
  Stream& stream = found->second;
  Side& side = event.way == Way::from_client ? stream.client : stream.target;
  // A gap in the sequence numbers: a reader says that a segment was not captured, and goes on
  // behind it.
  side.next += static_cast<std::uint32_t>(event.lost_octets);
  stream.dropped += event.lost_packets;
  switch (event.what) {
    case What::octets:
      return add_octets(out, stream, event, octets);
    case What::fin:
      return end_side(out, stream, event);
    case What::reset:
      return reset(out, stream, event);
    case What::remark:
      stream.remark = event.text;
      return;
    case What::closed:
      close(out, stream, event);
      streams_.erase(found);
      return;
    case What::opened:
    case What::secrets:
      return;
  }
}

void Composer::open(std::string& out, const Event& event) {
  Stream& stream = streams_[event.number];
  stream.flow = *event.flow;
  const std::uint32_t start = event.number * kBetweenFlows + settings_.salt;
  stream.is_open = true;
  stream.client.next = start;
  stream.target.next = start + kBetweenSides;
  const auto interface =
      std::find_if(interfaces_.begin(), interfaces_.end(),
                   [&](const Interface& one) { return one.service == stream.flow.service; });
  stream.interface = static_cast<std::uint32_t>(interface - interfaces_.begin());
  if (interface == interfaces_.end()) interfaces_.push_back({.service = stream.flow.service});
  packet(out, stream, Way::from_client, event.at,
         {.flags = Segment::syn, .comment = stream.flow.comment});
  packet(out, stream, Way::from_target, event.at, {.flags = Segment::syn | Segment::ack});
  packet(out, stream, Way::from_client, event.at, {.flags = Segment::ack});
}

void Composer::add_octets(std::string& out, Stream& stream, const Event& event, Bytes octets) {
  const Side& side = event.way == Way::from_client ? stream.client : stream.target;
  if (stream.is_reset || side.has_ended) return;
  std::size_t left = event.size;
  while (left > 0) {
    const std::size_t original = std::min(left, Segment::kLongestPayload);
    // With a snaplen fewer octets are kept than there were. The first segments get them; the
    // sequence numbers count them all.
    const Bytes payload = octets.first(std::min(octets.size(), original));
    packet(out, stream, event.way, event.at,
           {.flags = Segment::psh | Segment::ack, .payload = payload, .original = original});
    octets = octets.subspan(payload.size());
    left -= original;
  }
}

// The packet with which a stream ends (the second FIN, or the RST) is held until `closed` has come:
// that event brings how it ended, for the packet's comment.
void Composer::end_side(std::string& out, Stream& stream, const Event& event) {
  Side& side = event.way == Way::from_client ? stream.client : stream.target;
  const Side& other = event.way == Way::from_client ? stream.target : stream.client;
  if (stream.is_reset || side.has_ended) return;
  side.has_ended = true;
  if (other.has_ended) return hold_end(stream, event.way, event.at);
  packet(out, stream, event.way, event.at, {.flags = Segment::fin | Segment::ack});
}

void Composer::reset(std::string& out, Stream& stream, const Event& event) {
  if (stream.is_reset) return;
  // A FIN that still waits was sent before.
  if (stream.is_end_held) {
    packet(out, stream, stream.held_way, stream.held_at, {.flags = Segment::fin | Segment::ack});
  }
  stream.is_reset = true;
  hold_end(stream, event.way, event.at);
}

void Composer::hold_end(Stream& stream, Way way, std::uint64_t at) {
  stream.is_end_held = true;
  stream.held_way = way;
  stream.held_at = at;
}

void Composer::close(std::string& out, Stream& stream, const Event& event) {
  if (!stream.is_end_held && (stream.client.has_ended || stream.target.has_ended)) {
    // Of the other side nothing came any more.
    const Way silent = stream.client.has_ended ? Way::from_target : Way::from_client;
    return packet(out, stream, silent, event.at, {.flags = Segment::ack, .comment = event.text});
  }
  if (!stream.is_end_held) {
    // Given up without a word.
    stream.is_reset = true;
    hold_end(stream, Way::from_target, event.at);
  }
  const auto flags = static_cast<std::uint8_t>(stream.is_reset ? Segment::rst | Segment::ack
                                                               : Segment::fin | Segment::ack);
  packet(out, stream, stream.held_way, stream.held_at, {.flags = flags, .comment = event.text});
  if (stream.is_reset) return;
  const Way answer = stream.held_way == Way::from_client ? Way::from_target : Way::from_client;
  packet(out, stream, answer, event.at, {.flags = Segment::ack});
}

void Composer::packet(std::string& out, Stream& stream, Way way, std::uint64_t at,
                      const Marks& marks) {
  const bool is_inbound = way == Way::from_target;
  Side& from = is_inbound ? stream.target : stream.client;
  const Side& to = is_inbound ? stream.client : stream.target;
  // All that the other side has sent up to here: nothing is lost between two ends of one process.
  const bool acknowledges = (marks.flags & Segment::ack) != 0;
  const Segment segment{.from = is_inbound ? stream.flow.target : stream.flow.client,
                        .to = is_inbound ? stream.flow.client : stream.flow.target,
                        .sequence = from.next,
                        .acknowledged = acknowledges ? to.next : 0,
                        .flags = marks.flags,
                        .payload = marks.payload,
                        .original = marks.original};
  const std::size_t head = segment.header_size();
  std::string comment(marks.comment);
  if (comment.empty() && !stream.remark.empty()) comment = std::exchange(stream.remark, {});
  pcapng::Packet packet{.interface = 0,
                        .at = at,
                        .captured = static_cast<std::uint32_t>(head + marks.payload.size()),
                        .original = static_cast<std::uint32_t>(head + marks.original),
                        .is_inbound = is_inbound,
                        .dropped = std::exchange(stream.dropped, 0),
                        .comment = comment};
  // Both may append a block of their own, which must stand in front of the packet that needs it.
  packet.interface = interface_in_file(out, stream.interface);
  name(out, stream.flow);
  pcapng::begin_packet(out, packet);
  segment.append_to(out);
  pcapng::end_packet(out, packet);

  from.next += static_cast<std::uint32_t>(marks.original);
  // Each takes up a number of its own (RFC 9293, section 3.4).
  if ((marks.flags & (Segment::syn | Segment::fin)) != 0) ++from.next;
  ++packets_;
  ++interfaces_[stream.interface].packets;
  interfaces_[stream.interface].dropped += packet.dropped;
}

std::uint32_t Composer::interface_in_file(std::string& out, std::uint32_t index) {
  Interface& interface = interfaces_[index];
  if (!interface.is_in_file) {
    interface.is_in_file = true;
    interface.number = interfaces_in_file_++;
    pcapng::append_interface(out, {.name = interface.service,
                                   .description = settings_.description,
                                   .filter = settings_.filter});
  }
  return interface.number;
}

void Composer::name(std::string& out, const Flow& flow) {
  if (flow.target_name.empty()) return;
  const std::string address = octets_of(flow.target);
  if (!names_in_file_.insert(address).second) return;
  pcapng::append_name(out, as_bytes(address), flow.target_name);
}

}  // namespace tunnel::capture
