// SPDX-License-Identifier: MIT
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "balance/target.h"
#include "base/failure.h"
#include "config/model.h"
#include "tls/evidence.h"
#include "x509/peer.h"

namespace tunnel::probe {

// What is known about a failure, beside its sentence. References for the length of a call.
struct Case {
  const config::Service& service;
  const config::Tls* tls;  // null: plain TCP
  const balance::Endpoint& target;
  const x509::Peer& peer;
  const tls::Evidence& evidence;
  const std::vector<std::string>& accepted_versions;
  std::time_t now;
};

// What to do about it: sentences for people, never empty. Pure; any thread.
[[nodiscard]] std::string fix_for(const Failure& failure, const Case& known);

}  // namespace tunnel::probe
