// SPDX-License-Identifier: MIT
// One screen of `tunnel status --watch`, from the JSON that the instance answers with. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "admin/protocol.h"

namespace tunnel::cli {

// Bytes of services so far, by name, up and down together.
using Traffic = std::map<std::string, std::uint64_t>;
[[nodiscard]] Traffic traffic_of(const admin::Json& status);

// One screen: services by throughput since `before`, `seconds` ago, and the connections that moved
// most; cut at the terminal's size.
struct ScreenSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};
[[nodiscard]] std::string status_screen(const admin::Json& status, const Traffic& before,
                                        double seconds, ScreenSize size);

}  // namespace tunnel::cli
