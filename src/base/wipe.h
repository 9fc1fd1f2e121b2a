// SPDX-License-Identifier: MIT
#pragma once

#include <string.h>

#include <cstddef>

namespace tunnel {

// Overwrites a secret that is needed no more; no optimiser leaves it out. Of a string, what it
// holds now: what it held before it grew is elsewhere.
template <typename Octets>
void wipe(Octets& secret) noexcept {
  if (secret.size() > 0) ::explicit_bzero(secret.data(), secret.size() * sizeof *secret.data());
}

}  // namespace tunnel
