// SPDX-License-Identifier: MIT
#include "capture/taps.h"

#include <algorithm>

namespace tunnel::capture {

using What = Event::What;

Taps::Taps(Facing facing, std::vector<Source> sources) : facing_(facing) {
  for (Source& source : sources) each_.push_back({.source = std::move(source)});
}

void Taps::join(const Source& source) { each_.push_back({.source = source}); }

void Taps::open(const Flow& flow) {
  for (Each& each : each_) {
    if (each.number != 0) continue;
    each.number = each.source.recording->next_flow();
    add(each, {.what = What::opened, .flow = std::make_unique<Flow>(flow)});
  }
}

bool Taps::has_unopened() const {
  return std::any_of(each_.begin(), each_.end(), [](const Each& each) { return each.number == 0; });
}

void Taps::leave(std::uint64_t recording) {
  std::erase_if(
      each_, [&](const Each& each) { return each.source.recording->settings().id == recording; });
}

void Taps::remark(std::string_view text) { return add(What::remark, Way::from_client, text); }

void Taps::close(std::string_view text) {
  add(What::closed, Way::from_target, text);
  each_.clear();
}

void Taps::on_received(Bytes octets) { return add_octets(received(), octets); }

void Taps::on_sent(Bytes octets) { return add_octets(sent(), octets); }

void Taps::on_peer_ended(End end) {
  return add(end == End::fin ? What::fin : What::reset, received());
}

void Taps::on_own_end(End end) { return add(end == End::fin ? What::fin : What::reset, sent()); }

void Taps::on_secret(std::string_view line) { return add(What::secrets, Way::from_client, line); }

void Taps::add_octets(Way way, Bytes octets) {
  if (octets.empty()) return;
  for (Each& each : each_) {
    if (each.number == 0) continue;
    const auto snaplen = each.source.recording->settings().what.snaplen;
    const Bytes kept =
        snaplen ? octets.first(std::min<std::size_t>(octets.size(), *snaplen)) : octets;
    if (!each.source.lane->has_room(kept.size())) {
      const auto index = static_cast<std::size_t>(way);
      // The worker does not wait: what has no room is a gap in the capture, and nothing else is
      // slower for it.
      each.lost_octets[index] += octets.size();
      ++each.lost_packets[index];
      each.source.lane->count_dropped();
      continue;
    }
    add(each, {.what = What::octets, .way = way, .size = static_cast<std::uint32_t>(octets.size())},
        kept);
  }
}

void Taps::add(What what, Way way, std::string_view text) {
  for (Each& each : each_) {
    if (each.number == 0) continue;
    // The last one always, or the writer would keep the stream for as long as the capture lasts.
    if (what == What::closed || each.source.lane->has_room(0)) {
      add(each, {.what = what, .way = way, .text = std::string(text)});
    }
  }
}

void Taps::add(Each& each, Event event, Bytes octets) {
  if (each.source.recording->is_over()) return;
  const auto index = static_cast<std::size_t>(event.way);
  event.number = each.number;
  event.at = stamp();
  // Told with the next event that goes the same way, so that the gap is where it was.
  event.lost_octets = std::exchange(each.lost_octets[index], 0);
  event.lost_packets = std::exchange(each.lost_packets[index], 0);
  return each.source.lane->add(std::move(event), octets);
}

}  // namespace tunnel::capture
