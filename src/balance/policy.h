// SPDX-License-Identifier: MIT
// How one target of a group is chosen. Pure functions over atomics: no lock, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "balance/layout.h"
#include "balance/random.h"

namespace tunnel::balance {

// The turns of smooth weighted round-robin: 5, 1, 1 gives a a b a c a a. Weights are divided by
// what they have in common; sums above a few thousand are scaled down, nobody below one turn.
[[nodiscard]] std::vector<std::uint32_t> smooth_sequence(std::span<const std::uint32_t> weights);

// The index of the member that serves next, among those marked in `eligible` (one flag for each
// member; a drained member must not be marked); nullopt when none is.
[[nodiscard]] std::optional<std::size_t> pick(config::Balance policy, const Group& group,
                                              std::span<const char> eligible,
                                              std::uint64_t client_hash, Random& random);

}  // namespace tunnel::balance
