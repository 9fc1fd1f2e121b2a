// SPDX-License-Identifier: MIT
#include "balance/policy_words.h"

namespace tunnel::balance {

std::string_view word(config::Balance policy) {
  switch (policy) {
    case config::Balance::round_robin:
      return "round-robin";
    case config::Balance::least_connections:
      return "least-connections";
    case config::Balance::random:
      return "random";
    case config::Balance::hash:
      return "hash";
    case config::Balance::first:
      return "first";
  }
  return "";
}

std::string_view meaning(config::Balance policy) {
  switch (policy) {
    case config::Balance::round_robin:
      return "each in turn";
    case config::Balance::least_connections:
      return "the one with the fewest connections";
    case config::Balance::random:
      return "the less loaded of two drawn at random";
    case config::Balance::hash:
      return "the one that the client's address selects";
    case config::Balance::first:
      return "the first that can be chosen";
  }
  return "";
}

}  // namespace tunnel::balance
