// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tunnel::uv {

// Sees all that passes through one Stream, octet by octet, in its order: for captures. On the
// client's stream that is what the application sees, on the target's what goes over the network.
// Called on the stream's loop, in the middle of its work: it copies what it wants and must not
// touch the stream. It must outlive the stream, or be taken from it.
class Tap {
 public:
  enum class End : std::uint8_t { fin, reset };

  virtual void on_received(Bytes octets) = 0;  // before the stream's owner, who may change them
  virtual void on_sent(Bytes octets) = 0;      // to the kernel, or waiting for room there
  virtual void on_peer_ended(End end) = 0;     // after all that it had sent
  // After all that was sent; a reset may follow a FIN, and nothing else may follow.
  virtual void on_own_end(End end) = 0;

 protected:
  ~Tap() = default;
};

}  // namespace tunnel::uv
