// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <optional>

#include "base/clock.h"
#include "base/fd.h"
#include "capture/sink.h"

namespace tunnel::capture {

// A capture that a client of the control socket reads as it is made, through its connection.
class ClientStream final : public Sink {
 public:
  // Of a capture that is over at `until`, if there is such a time.
  ClientStream(Fd socket, std::optional<std::uint64_t> max_size,
               const std::atomic<bool>& is_leaving, std::optional<TimePoint> until = std::nullopt)
      : socket_(std::move(socket)), max_size_(max_size), is_leaving_(is_leaving), until_(until) {}

  // A client that does not read holds up this capture and nothing else, until it has gone or the
  // capture is to end or over.
  Result<void> write(Bytes octets) override;
  std::optional<std::uint64_t> room() const override;
  Result<bool> begin_next() override { return false; }
  std::string why_over() override;

 private:
  [[nodiscard]] Result<void> wait_for_room();

  const Fd socket_;
  const std::optional<std::uint64_t> max_size_;
  const std::atomic<bool>& is_leaving_;  // the end is near: a slow client has a little while
  const std::optional<TimePoint> until_;
  std::optional<TimePoint> waiting_since_;  // since it is the end that waits for the client
  std::uint64_t size_ = 0;
};

}  // namespace tunnel::capture
