// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/outcome.h"
#include "tls/session.h"
#include "tunnel/connection_record.h"

namespace tunnel {

// A connection that is over, for people who look. A value.
struct ClosedView {
  TimePoint at{};  // when it ended
  std::string service{};
  std::uint64_t id = 0;
  std::string client{};
  std::string target{};  // the last one tried; empty: none
  Outcome outcome{};
  Millis total{0};  // from accept to the end
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
  tls::Negotiated negotiated{};
};

// The last connections that were over on one loop. Each takes the place of the oldest, whose memory
// it uses again: what ends as often as it likes costs a few copies of short texts. Loop-bound.
class ClosedConnections {
 public:
  static constexpr std::size_t kMost = 20;

  void note(TimePoint now, const ConnectionRecord& record);
  void append_to(std::vector<ClosedView>& views) const;  // in no order

 private:
  std::array<ClosedView, kMost> ring_{};
  std::size_t noted_ = 0;  // so far
};

}  // namespace tunnel
