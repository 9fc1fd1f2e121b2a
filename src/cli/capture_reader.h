// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "admin/control_client.h"
#include "admin/protocol.h"
#include "base/bytes.h"
#include "base/fd.h"
#include "base/result.h"

namespace tunnel::cli {

// Counts the packets of a capture as its octets go by, and those that are missing. Pure.
class PacketCount {
 public:
  void feed(Bytes octets);
  [[nodiscard]] std::uint64_t packets() const { return packets_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  void take_block();

  std::string block_;  // what has come of the present one
  std::uint64_t packets_ = 0;
  std::uint64_t dropped_ = 0;
};

// Asks an instance for a capture and writes it to `out` until the instance ends it, SIGINT or
// SIGTERM comes (then the last packets are waited for), or nobody reads `out` any more.
// `on_progress` is called now and then. Blocking.
struct CaptureReader {
  // "ok": false is an answer, and the end.
  [[nodiscard]] static Result<admin::Json> begin(admin::ControlClient& client, admin::Json request);
  [[nodiscard]] static Result<void> pump(
      admin::ControlClient client, const Fd& out,
      const std::function<void(const PacketCount&)>& on_progress);
};

}  // namespace tunnel::cli
