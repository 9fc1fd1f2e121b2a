// SPDX-License-Identifier: MIT
// The sections of a stunnel.conf as the tree of keys that TOML has: which options hold in which
// section, and what the services are called. Pure but for the few questions that the Reader asks.
#pragma once

#include <string>
#include <vector>

#include "config/diagnostic.h"
#include "config/foreign.h"
#include "config/reader.h"
#include "import/stunnel_section.h"

namespace tunnel::import {

// The options of a section as they are written. Borrows them.
struct StunnelWritten {
  std::string name;
  config::Position header;
  std::vector<const StunnelGiven*> givens;
};

// The first one is the global part. A file with nothing else is one service under inetd.
[[nodiscard]] config::Translation convert_stunnel(config::Diagnostics& diagnostics,
                                                  config::Reader& reader,
                                                  const std::vector<StunnelWritten>& sections);

}  // namespace tunnel::import
