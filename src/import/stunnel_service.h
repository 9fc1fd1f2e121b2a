// SPDX-License-Identifier: MIT
// A section of a stunnel.conf as the table of a service: what its options mean together, and what
// stunnel does where it says nothing. Pure but for the few questions that the Reader asks.
#pragma once

#include <string>
#include <vector>

#include "config/diagnostic.h"
#include "config/reader.h"
#include "config/remark.h"
#include "import/stunnel_section.h"
#include "import/stunnel_tree.h"

namespace tunnel::import {

// Where a conversion reports to.
struct StunnelReport {
  config::Diagnostics& diagnostics;
  config::Reader& reader;
  std::vector<config::Remark>& remarks;

  void error(config::Position at, std::string text, std::string hint = {}) {
    diagnostics.error(at, std::move(text), std::move(hint));
  }
  void warning(config::Position at, std::string text, std::string hint = {}) {
    diagnostics.warning(at, std::move(text), std::move(hint));
  }
  void remark(const std::string& service, std::string key, std::string text) {
    remarks.push_back({service, std::move(key), std::move(text)});
  }
};

enum class StunnelMode {
  daemon,
  inetd,  // the file has no section: one connection, on standard input and output
};

// The path as stunnel takes it: from the working directory, whatever file it is written in.
[[nodiscard]] std::string stunnel_path(const std::string& path);

// `section.name` is the name that the service gets.
[[nodiscard]] config::Value convert_stunnel_service(StunnelReport& report,
                                                    const StunnelSection& section,
                                                    StunnelMode mode);
// The parts of it that have files of their own.
void convert_stunnel_tls(StunnelReport& report, const StunnelSection& section, StunnelTree& tree);
void convert_stunnel_connect(StunnelReport& report, const StunnelSection& section,
                             StunnelTree& tree);

// The global part as global keys, each set in `tree`.
void convert_stunnel_globals(StunnelReport& report, const StunnelSection& globals,
                             StunnelTree& tree);

}  // namespace tunnel::import
