// SPDX-License-Identifier: MIT
// What is counted while the process runs, for whoever looks: numbers that only grow, read by any
// thread at any time without a lock. Each is exact; two that belong together may be apart by what
// happens while they are read.
#pragma once

#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/kind.h"

namespace tunnel {

// Has one writer at a time, and so needs no bus lock: for the byte path.
class Counter {
 public:
  void add(std::uint64_t number) {
    value_.store(value_.load(std::memory_order_relaxed) + number, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Plaintext that one worker has carried; alone in its cache line, which no other worker touches.
struct alignas(64) Traffic {
  Counter up;
  Counter down;
};

// The traffic of all workers, each with a part of its own.
class TrafficByWorker {
 public:
  explicit TrafficByWorker(std::size_t workers = 1)
      : size_(workers), parts_(std::make_unique<Traffic[]>(workers)) {}

  [[nodiscard]] Traffic& of(std::size_t worker) { return parts_[worker < size_ ? worker : 0]; }
  [[nodiscard]] std::uint64_t up() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < size_; ++i) sum += parts_[i].up.value();
    return sum;
  }
  [[nodiscard]] std::uint64_t down() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < size_; ++i) sum += parts_[i].down.value();
    return sum;
  }

 private:
  std::size_t size_;
  std::unique_ptr<Traffic[]> parts_;
};

// Has many writers: for what happens once a connection.
class SharedCounter {
 public:
  void add(std::uint64_t number = 1) { value_.fetch_add(number, std::memory_order_relaxed); }
  void subtract(std::uint64_t number = 1) { value_.fetch_sub(number, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

using KindCounters = std::array<SharedCounter, kKindCount>;

// A histogram as it was read.
struct HistogramReading {
  std::span<const double> bounds;           // upper ones; the last is infinity, and not among them
  std::vector<std::uint64_t> cumulative{};  // one more than bounds
  double sum = 0;
  [[nodiscard]] std::uint64_t count() const { return cumulative.empty() ? 0 : cumulative.back(); }
  // Those of another with the same bounds, too; one that nothing was counted in has any.
  void add(const HistogramReading& further) {
    if (further.count() == 0) return;
    if (count() == 0) {
      *this = further;
      return;
    }
    for (std::size_t i = 0; i < cumulative.size(); ++i) cumulative[i] += further.cumulative[i];
    sum += further.sum;
  }
};

// How values are spread over ranges that are fixed from the beginning. Sums are exact to a
// millionth.
template <const auto& kBounds>
class Histogram {
 public:
  void observe(double value) {
    std::size_t range = 0;
    while (range < kBounds.size() && value > kBounds[range]) ++range;
    ranges_[range].add();
    millionths_.add(static_cast<std::uint64_t>(std::llround(value * 1e6)));
  }
  [[nodiscard]] HistogramReading read() const {
    HistogramReading reading{.bounds = kBounds};
    std::uint64_t sum = 0;
    for (const SharedCounter& range : ranges_) reading.cumulative.push_back(sum += range.value());
    reading.sum = static_cast<double>(millionths_.value()) / 1e6;
    return reading;
  }

 private:
  std::array<SharedCounter, kBounds.size() + 1> ranges_;
  SharedCounter millionths_;
};

}  // namespace tunnel
