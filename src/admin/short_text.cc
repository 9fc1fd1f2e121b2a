// SPDX-License-Identifier: MIT
#include "admin/short_text.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace tunnel::admin {
namespace {

template <class... Values>
std::string formatted(const char* form, Values... values) {
  char text[32];
  const int size = std::snprintf(text, sizeof text, form, values...);
  return {text, static_cast<std::size_t>(std::clamp(size, 0, 31))};
}

}  // namespace

std::string short_bytes(double bytes) {
  constexpr std::array<const char*, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  // From 1000 on, not from 1024: "1023.0KiB" would be too wide.
  while (bytes >= 1000 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return formatted(unit == 0 || bytes >= 100 ? "%.0f%s" : "%.1f%s", bytes, kUnits[unit]);
}

std::string short_time(double seconds) {
  if (seconds < 10) return formatted("%.1fs", std::max(0.0, seconds));
  const auto whole = static_cast<long long>(seconds);
  if (whole < 60) return formatted("%llds", whole);
  if (whole < 3600) return formatted("%lldm%02llds", whole / 60, whole % 60);
  if (whole < 86'400) return formatted("%lldh%02lldm", whole / 3600, whole / 60 % 60);
  return formatted("%lldd%02lldh", whole / 86'400, whole / 3600 % 24);
}

}  // namespace tunnel::admin
