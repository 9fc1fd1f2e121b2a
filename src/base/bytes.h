// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace tunnel {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

[[nodiscard]] inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
[[nodiscard]] inline MutableBytes as_mutable_bytes(std::string& text) {
  return {reinterpret_cast<std::byte*>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// An octet as a number, to compute with.
[[nodiscard]] inline unsigned octet_at(Bytes bytes, std::size_t i) {
  return std::to_integer<unsigned>(bytes[i]);
}

// A view of borrowed memory that is filled from the front; owns nothing. The lender keeps the
// memory alive and decides its size; `append` refuses (and changes nothing) when it would not fit.
class OutBuffer {
 public:
  OutBuffer() = default;
  explicit OutBuffer(MutableBytes memory) : memory_(memory) {}

  [[nodiscard]] bool append(Bytes bytes) {
    if (bytes.size() > room()) return false;
    if (!bytes.empty()) std::memcpy(memory_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
    return true;
  }
  [[nodiscard]] Bytes filled() const { return memory_.first(size_); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t room() const { return memory_.size() - size_; }
  void clear() { size_ = 0; }
  // For who writes in place: the memory behind what is filled, and how much of it has been.
  [[nodiscard]] MutableBytes spare() const { return memory_.subspan(size_); }
  void grow(std::size_t written) { size_ += written; }

 private:
  MutableBytes memory_;
  std::size_t size_ = 0;
};

}  // namespace tunnel
