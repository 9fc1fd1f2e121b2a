// SPDX-License-Identifier: MIT
#include "tunnel/closed_connections.h"

#include <algorithm>

namespace tunnel {
namespace {

// A sentence may quote what a server has said.
constexpr std::size_t kLongest = 1024;

}  // namespace

void ClosedConnections::note(TimePoint now, const ConnectionRecord& record) {
  // Field by field, so that each string keeps the memory that it has.
  ClosedView& view = ring_[noted_++ % kMost];
  view.at = now;
  view.service = record.service;
  view.id = record.id;
  view.client = record.client;
  view.target = record.target == "-" ? "" : record.target;
  view.outcome.kind = record.outcome.kind;
  view.outcome.side = record.outcome.side;
  view.outcome.text.assign(record.outcome.text, 0, kLongest);
  view.total = record.total;
  view.bytes_up = record.bytes_up;
  view.bytes_down = record.bytes_down;
  view.negotiated = record.negotiated;
}

void ClosedConnections::append_to(std::vector<ClosedView>& views) const {
  views.insert(views.end(), ring_.begin(),
               ring_.begin() + static_cast<std::ptrdiff_t>(std::min(noted_, kMost)));
}

}  // namespace tunnel
