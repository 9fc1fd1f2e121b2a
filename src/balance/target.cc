// SPDX-License-Identifier: MIT
#include "balance/target.h"

#include <utility>

#include "balance/hash.h"

namespace tunnel::balance {

namespace {

// Places a target among the clients of the hash policy: by where it is, not by how it was written.
std::uint64_t endpoint_hash(const Endpoint& endpoint) {
  // The addresses of an expanded name are told apart, and each keeps its clients when the others
  // change.
  const std::string where = endpoint.address ? endpoint.address->ip() : endpoint.host;
  return text_hash(where + ' ' + std::to_string(endpoint.port));
}

}  // namespace

Target::Target(std::uint64_t id, Endpoint endpoint, const HealthRules& rules, Waiters& waiters,
               std::size_t workers)
    : id_(id),
      endpoint_(std::move(endpoint)),
      hash_(endpoint_hash(endpoint_)),
      waiters_(waiters),
      health_(rules),
      tally_(workers) {}

Transition Target::checked(TimePoint now, CheckResult result, CheckDepth depth,
                           const Reason& reason) {
  (result == CheckResult::passed ? tally_.checks_passed : tally_.checks_failed).add();
  const Transition transition = health_.checked(now, result, depth, reason);
  if (transition.change == Transition::Change::restored) waiters_.notify();
  return transition;
}

}  // namespace tunnel::balance
