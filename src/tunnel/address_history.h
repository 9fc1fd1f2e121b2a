// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/clock.h"

namespace tunnel {

// How the addresses of names have done, which decides the order in which they are tried (RFC 8305
// section 4: history decides last). The last winner of a race comes first; those that failed
// lately, or stayed silent while another one won, come last. When all of them have come to that, it
// is forgotten, and so is what was known of an address that left its name's answer.
//
// One for the process, because each dead address costs the dial that finds out a quarter of a
// second: one dial (or a check) pays it, not one on each worker. Any thread; owned by the
// Supervisor. The mutex is held for one look at a dial's begin, its race's end and its own end.
class AddressHistory {
 public:
  // How long a failure counts. Silence has no such end: its address would cost its quarter of a
  // second again and again, and it is not needed while the winner wins.
  static constexpr Millis kMemory = std::chrono::minutes(2);
  static constexpr std::size_t kMost = 1024;

  void failed(const SocketAddress& address, TimePoint now);
  // `winner` was connected to before any of `silent` had answered.
  void won(const SocketAddress& winner, std::span<const SocketAddress> silent, TimePoint now);
  // It has served a whole dial.
  void worked(const SocketAddress& address);
  // Their name does not lead to them any more. Ports do not matter.
  void forget(std::span<const SocketAddress> addresses);

  [[nodiscard]] bool has_failed(const SocketAddress& address, TimePoint now);  // lately

  // Puts what a name leads to in the order to try; otherwise their order stays.
  void order(std::vector<SocketAddress>& addresses, TimePoint now);

 private:
  struct Entry {
    std::uint64_t won = 0;  // which race it was; 0: none
    bool is_silent = false;
    bool has_failed = false;
    TimePoint failed_at{};
  };
  [[nodiscard]] Entry& entry(const SocketAddress& address, TimePoint now);
  [[nodiscard]] static bool is_bad(const Entry& entry, TimePoint now);

  std::mutex mutex_;
  // Protected by mutex_.
  std::map<SocketAddress, Entry> entries_;
  std::uint64_t races_ = 0;
};

}  // namespace tunnel
