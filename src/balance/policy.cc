// SPDX-License-Identifier: MIT
#include "balance/policy.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

namespace tunnel::balance {

namespace {

using Index = std::optional<std::size_t>;
using Eligible = std::span<const char>;

// The longest sequence of turns, unless there are more targets than that.
// It is stored, four bytes a turn, for each group of each layout.
constexpr std::uint64_t kMaxTurns = 4096;

// The turn belongs to the group, not to the connection: whoever takes it moves it past the target
// that he got. A target that cannot serve is passed over for everybody at once, and a
// connection that comes back after a failure takes the turn that is due by then; so the failed
// target's share is spread over all others instead of doubling its neighbour's.
Index next_turn(const Group& group, Eligible eligible) {
  const std::vector<std::uint32_t>& sequence = group.sequence;
  std::atomic<std::uint64_t>& turn = group.rotation->turn;
  std::uint64_t start = turn.load();
  for (std::size_t step = 0; step < sequence.size();) {
    const std::size_t index = sequence[(start + step) % sequence.size()];
    if (eligible[index] == 0) {
      ++step;
    } else if (turn.compare_exchange_weak(start, start + step + 1)) {
      return index;
    } else {
      step = 0;  // another worker took a turn; `start` is the new one
    }
  }
  return std::nullopt;
}

// Whether a has less to carry than b, for its weight; `more` connections are added to both.
bool is_lighter(const Member& a, const Member& b, std::uint64_t more) {
  return (a.target->in_flight() + more) * b.weight < (b.target->in_flight() + more) * a.weight;
}

// Equals take turns; the turn is taken from the others as in next_turn.
Index least_connections(const Group& group, Eligible eligible) {
  const std::size_t size = group.members.size();
  std::atomic<std::uint64_t>& turn = group.rotation->turn;
  std::uint64_t start = turn.load();
  for (;;) {
    Index best;
    std::size_t best_step = 0;
    for (std::size_t step = 0; step < size; ++step) {
      const std::size_t index = (start + step) % size;
      if (eligible[index] == 0) continue;
      if (!best || is_lighter(group.members[index], group.members[*best], 1)) {
        best = index;
        best_step = step;
      }
    }
    if (!best || turn.compare_exchange_weak(start, start + best_step + 1)) return best;
  }
}

// A member drawn with its weight's chance; `except` is left out.
Index draw(const Group& group, Eligible eligible, Index except, Random& random) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < group.members.size(); ++i) {
    if (eligible[i] != 0 && i != except) total += group.members[i].weight;
  }
  if (total == 0) return std::nullopt;
  std::uint64_t point = random.below(total);
  for (std::size_t i = 0; i < group.members.size(); ++i) {
    if (eligible[i] == 0 || i == except) continue;
    if (point < group.members[i].weight) return i;
    point -= group.members[i].weight;
  }
  return std::nullopt;  // not reached: the points add up to `total`
}

// The power of two choices. Without the "+1" of least-connections: among idle targets the draw
// decides, so that a small weight gets its share too.
Index two_choices(const Group& group, Eligible eligible, Random& random) {
  const Index first = draw(group, eligible, std::nullopt, random);
  if (!first) return first;
  const Index second = draw(group, eligible, first, random);
  if (second && is_lighter(group.members[*second], group.members[*first], 0)) return second;
  return first;
}

// Weighted rendezvous: each client has its own order of the targets, drawn from both hashes, and
// the best eligible one serves. It does what a ring of hash points does (a removed target's clients
// move, nobody else's; a failed target's clients go on to the next in their order) with exact
// weights, without a table, and a failed target's clients spread over all others.
Index by_hash(const Group& group, Eligible eligible, std::uint64_t client) {
  Index best;
  double best_score = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < group.members.size(); ++i) {
    if (eligible[i] == 0) continue;
    const Member& member = group.members[i];
    const double drawn = unit(mix(client ^ member.target->hash())) + 0x1.0p-54;  // never 0
    const double score = -std::log(drawn) / member.weight;
    if (score < best_score) {
      best = i;
      best_score = score;
    }
  }
  return best;
}

Index first_of(Eligible eligible) {
  const auto found = std::find_if(eligible.begin(), eligible.end(), [](char c) { return c != 0; });
  if (found == eligible.end()) return std::nullopt;
  return static_cast<std::size_t>(found - eligible.begin());
}

// The weights in the smallest numbers that say the same, or nearly.
std::vector<std::uint64_t> reduced(std::span<const std::uint32_t> weights) {
  std::uint64_t divisor = 0;
  std::uint64_t total = 0;
  for (const std::uint32_t weight : weights) {
    divisor = std::gcd(divisor, std::uint64_t{weight});
    total += weight;
  }
  std::vector<std::uint64_t> result(weights.begin(), weights.end());
  if (total == 0) return result;
  total /= divisor;
  const std::uint64_t limit = std::max<std::uint64_t>(kMaxTurns, weights.size());
  for (std::uint64_t& weight : result) {
    weight /= divisor;
    if (total > limit && weight != 0) weight = std::max<std::uint64_t>(1, weight * limit / total);
  }
  return result;
}

}  // namespace

// Each turn, everybody gains his weight, the one with the most serves and pays the total.
std::vector<std::uint32_t> smooth_sequence(std::span<const std::uint32_t> weights) {
  const std::vector<std::uint64_t> shares = reduced(weights);
  const auto total = std::accumulate(shares.begin(), shares.end(), std::uint64_t{0});
  std::vector<std::int64_t> credit(shares.size(), 0);
  std::vector<std::uint32_t> sequence;
  sequence.reserve(total);
  for (std::uint64_t turn = 0; turn < total; ++turn) {
    for (std::size_t i = 0; i < shares.size(); ++i) {
      credit[i] += static_cast<std::int64_t>(shares[i]);
    }
    // A drained member's credit stays 0, and somebody's is above that: they add up to `total`.
    const auto richest = std::max_element(credit.begin(), credit.end());
    *richest -= static_cast<std::int64_t>(total);
    sequence.push_back(static_cast<std::uint32_t>(richest - credit.begin()));
  }
  return sequence;
}

std::optional<std::size_t> pick(config::Balance policy, const Group& group,
                                std::span<const char> eligible, std::uint64_t client_hash,
                                Random& random) {
  switch (policy) {
    case config::Balance::round_robin:
      return next_turn(group, eligible);
    case config::Balance::least_connections:
      return least_connections(group, eligible);
    case config::Balance::random:
      return two_choices(group, eligible, random);
    case config::Balance::hash:
      return by_hash(group, eligible, client_hash);
    case config::Balance::first:
      return first_of(eligible);
  }
  return std::nullopt;
}

}  // namespace tunnel::balance
