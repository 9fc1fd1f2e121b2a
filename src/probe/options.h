// SPDX-License-Identifier: MIT
#pragma once

#include <sys/socket.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "capture/recording.h"
#include "probe/report.h"

namespace tunnel::probe {

// What is to be probed, and how. A value.
struct Options {
  std::vector<std::string> services;  // empty: all
  std::string target;                 // as the log calls it, its host or its name; empty: all
  Millis timeout{10'000};             // of each visit
  int family = AF_UNSPEC;             // of the addresses
  unsigned rounds = 1;
  std::string keylog;  // where the secrets of the sessions go; empty: nowhere
  // Of what goes over the network, with its keys; started, and finished when the report is there.
  std::shared_ptr<capture::Recording> capture{};
  // Each target, as soon as all its addresses have been visited: for who wants to see them arrive.
  // Null: nobody does.
  std::function<void(const std::string& service, const TargetReport& target)> on_target{};
  // How many of the visits that are known so far are over, when that has changed. Null: nobody
  // asks.
  std::function<void(std::size_t over, std::size_t known)> on_progress{};
};

}  // namespace tunnel::probe
