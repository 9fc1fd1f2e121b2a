// SPDX-License-Identifier: MIT
#include "capture/backlog.h"

#include <doctest/doctest.h>

#include <string>

#include "uv/timer.h"

namespace tunnel::capture {
namespace {

Event octets_at(std::uint64_t at) { return {.what = Event::What::octets, .number = 1, .at = at}; }

// Hands over a batch for each list of times; each event has the given octets.
std::shared_ptr<Lane> lane_with(uv::Loop& loop,
                                const std::vector<std::vector<std::uint64_t>>& batches,
                                const std::string& octets) {
  const auto lane = std::make_shared<Lane>(loop, [] {});
  for (const auto& times : batches) {
    uv::Timer stop(loop,
                   [&] { loop.stop(); });  // in the first timer's turn, newer libuvs end at once
    uv::Timer timer(loop, [&] {
      for (const std::uint64_t at : times) lane->add(octets_at(at), as_bytes(octets));
      stop.start(Millis(0));
    });
    timer.start(Millis(0));
    loop.run();
  }
  return lane;
}

std::string next_of(Backlog& backlog) {
  std::string seen = "none";
  (void)backlog.take([&](const Event& event, Bytes octets) {
    seen = std::to_string(event.at) + std::string(as_text(octets));
  });
  return seen;
}

}  // namespace

TEST_CASE("what several workers saw is taken in the order of time") {
  uv::Loop loop;
  const auto a = lane_with(loop, {{1, 4}, {6}}, "a");
  const auto b = lane_with(loop, {{2}, {3, 5}}, "b");
  Backlog backlog({a, b});
  CHECK(backlog.packets() == 6);
  for (const char* expected : {"1a", "2b", "3b", "4a", "5b", "6a", "none"}) {
    CHECK(next_of(backlog) == expected);
  }
  CHECK(backlog.packets() == 0);
}

TEST_CASE("a batch makes room as soon as it has been taken, and not only with the last one") {
  uv::Loop loop;
  const std::string half(Lane::kMostOctets / 2, 'x');
  const auto lane = lane_with(loop, {{1}, {2}}, half);
  CHECK_FALSE(lane->has_room(half.size() / 2));
  {
    Backlog backlog({lane});
    CHECK_FALSE(lane->has_room(half.size() / 2));
    (void)next_of(backlog);
    CHECK(lane->has_room(half.size() / 2));
    CHECK_FALSE(lane->has_room(half.size()));
    CHECK(backlog.packets() == 1);
  }
  CHECK(lane->has_room(half.size()));  // what was not taken is given up
}

}  // namespace tunnel::capture
