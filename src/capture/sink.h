// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace tunnel::capture {

// Where a capture is written to. One thread, which it may hold up; owned by its Recording.
class Sink {
 public:
  virtual ~Sink() = default;

  // An error ends the capture, and says why to people.
  [[nodiscard]] virtual Result<void> write(Bytes octets) = 0;
  // How much may be written until a file is full; nullopt: no limit.
  [[nodiscard]] virtual std::optional<std::uint64_t> room() const = 0;
  // A full file is done with; false: there is to be no other, and the capture ends.
  [[nodiscard]] virtual Result<bool> begin_next() = 0;
  // Looked at now and then: why nobody wants the rest; empty: somebody does.
  [[nodiscard]] virtual std::string why_over() = 0;
};

}  // namespace tunnel::capture
