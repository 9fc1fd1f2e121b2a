// SPDX-License-Identifier: MIT
#include "capture/lane.h"

#include <doctest/doctest.h>

#include <string>

#include "uv/timer.h"

namespace tunnel::capture {

TEST_CASE("events are handed over at the end of a turn, and too much has no room") {
  uv::Loop loop;
  int batches = 0;
  const auto lane = std::make_shared<Lane>(loop, [&] { ++batches; });
  const std::string block(Lane::kMostOctets / 2, 'x');
  uv::Timer stop(loop,
                 [&] { loop.stop(); });  // in the first timer's turn, newer libuvs end at once
  uv::Timer timer(loop, [&] {
    CHECK(lane->has_room(block.size()));
    lane->add({.number = 1}, as_bytes(block));
    lane->add({.number = 2}, as_bytes("y"));
    CHECK_FALSE(lane->has_room(block.size()));
    CHECK(lane->has_room(0));
    CHECK(lane->take().empty());
    CHECK(batches == 0);
    stop.start(Millis(0));
  });
  timer.start(Millis(0));
  loop.run();
  CHECK(batches == 1);
  auto taken = lane->take();
  REQUIRE(taken.size() == 1);
  REQUIRE(taken[0].events.size() == 2);
  CHECK(taken[0].events[1].begin == block.size());
  CHECK(taken[0].events[1].kept == 1);
  CHECK_FALSE(lane->has_room(block.size()));  // it is still on its way
  lane->written(std::move(taken[0]));
  CHECK(lane->has_room(block.size()));
}

}  // namespace tunnel::capture
