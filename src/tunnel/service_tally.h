// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "base/clock.h"
#include "base/kind.h"
#include "base/tally.h"
#include "tls/session.h"
#include "tunnel/phase.h"

namespace tunnel {

inline constexpr auto kPhaseBounds =
    std::to_array<double>({.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10});
inline constexpr auto kTriesBounds = std::to_array<double>({1, 2, 3, 5, 10});
inline constexpr auto kDurationBounds = std::to_array<double>({.1, 1, 10, 60, 600, 3600, 86400});

[[nodiscard]] constexpr double seconds(Micros time) {
  return std::chrono::duration<double>(time).count();
}

// Where an established connection stands.
enum class Stage : std::uint8_t { open, half_closed, draining };
inline constexpr std::size_t kStages = 3;

// Completed handshakes by what was negotiated. The words are those of GnuTLS; any that is not known
// here counts as "other", so that there are never more than the tables hold.
class HandshakeTally {
 public:
  static constexpr auto kVersions =
      std::to_array<std::string_view>({"TLS1.3", "TLS1.2", "TLS1.1", "TLS1.0", "other"});
  static constexpr auto kGroups = std::to_array<std::string_view>(
      {"", "X25519", "SECP256R1", "SECP384R1", "SECP521R1", "X448", "FFDHE2048", "FFDHE3072",
       "FFDHE4096", "X25519-MLKEM768", "other"});

  void add(const tls::Negotiated& negotiated) {
    counts_[place(kVersions, negotiated.version)][place(kGroups, negotiated.group)]
           [negotiated.resumed ? 1 : 0]
               .add();
  }
  [[nodiscard]] std::uint64_t count(std::size_t version, std::size_t group, bool is_resumed) const {
    return counts_[version][group][is_resumed ? 1 : 0].value();
  }

 private:
  template <std::size_t N>
  static std::size_t place(const std::array<std::string_view, N>& words, std::string_view word) {
    std::size_t at = 0;
    while (at + 1 < N && words[at] != word) ++at;
    return at;
  }
  std::array<std::array<std::array<SharedCounter, 2>, kGroups.size()>, kVersions.size()> counts_;
};

// What a service has counted, for as long as it has its name. Any thread.
struct ServiceTally {
  KindCounters closed;
  std::array<SharedCounter, kStages> stages;  // established connections now
  Histogram<kPhaseBounds> resolve, connect, preamble, tls;
  Histogram<kPhaseBounds> dial;  // from accept until a target is established
  Histogram<kTriesBounds> tries;
  Histogram<kDurationBounds> duration;
  Histogram<kPhaseBounds> checks;  // active ones, of all targets
  HandshakeTally handshakes;

  // Of one attempt; what it has not reached is left out.
  void observe(const PhaseTimes& times) {
    note(resolve, times.resolve);
    note(connect, times.connect);
    note(preamble, times.preamble);
    note(tls, times.tls);
  }

 private:
  static void note(Histogram<kPhaseBounds>& histogram, Micros took) {
    if (took >= Micros(0)) histogram.observe(seconds(took));
  }
};

}  // namespace tunnel
