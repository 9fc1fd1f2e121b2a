// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace tunnel::tls {

// Follows a stream of TLS records from its first byte: of which type the last one is, as it shows
// outside. A value; costs a few operations for each piece.
class RecordBorder {
 public:
  void pass(Bytes piece) {
    while (!piece.empty()) {
      if (header_ < kHeaderSize) {
        if (header_ == 0) type_ = std::to_integer<std::uint8_t>(piece[0]);
        if (header_ >= 3) {
          body_ = static_cast<std::uint16_t>(unsigned{body_} << 8 |
                                             std::to_integer<unsigned>(piece[0]));
        }
        ++header_;
        piece = piece.subspan(1);
      } else {
        const std::size_t taken = piece.size() < body_ ? piece.size() : body_;
        body_ = static_cast<std::uint16_t>(body_ - taken);
        piece = piece.subspan(taken);
      }
      if (header_ == kHeaderSize && body_ == 0) header_ = 0;
    }
  }
  [[nodiscard]] std::uint8_t type() const { return type_; }

 private:
  static constexpr std::uint8_t kHeaderSize = 5;
  std::uint8_t header_ = 0;  // bytes of it that have passed
  std::uint8_t type_ = 0;
  std::uint16_t body_ = 0;  // bytes of it that are to come; its size while the header passes
};

}  // namespace tunnel::tls
