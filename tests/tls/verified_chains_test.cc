// SPDX-License-Identifier: MIT
#include "tls/verified_chains.h"

#include <doctest/doctest.h>

#include <limits>

namespace tunnel::tls::verified_chains_test {

using namespace tunnel::x509;

namespace {

constexpr auto kNoEnd = std::numeric_limits<std::time_t>::max();

Fingerprint key(unsigned number) {
  Fingerprint print{};
  std::memcpy(print.data(), &number, sizeof number);
  return print;
}

}  // namespace

TEST_CASE("a verified chain is known for minutes") {
  VerifiedChains chains;
  chains.add(key(1), 1000, {kNoEnd});
  CHECK(chains.find(key(1), 1000)->until == kNoEnd);
  CHECK(chains.find(key(1), 1000 + VerifiedChains::kLifetime - 1));
  CHECK_FALSE(chains.find(key(1), 1000 + VerifiedChains::kLifetime));
  CHECK_FALSE(chains.find(key(2), 1000));
}

TEST_CASE("a verified chain is known no longer than it is good") {
  VerifiedChains chains;
  chains.add(key(1), 1000, {1010});
  CHECK(chains.find(key(1), 1009)->until == 1010);
  CHECK_FALSE(chains.find(key(1), 1010));
  chains.add(key(2), 1000, {1000});
  CHECK_FALSE(chains.find(key(2), 1000));
}

TEST_CASE("what a stapled answer said is known with the chain") {
  VerifiedChains chains;
  chains.add(key(1), 1000, {.until = 1010, .ocsp_until = 1005});
  CHECK(chains.find(key(1), 1001)->ocsp_until == 1005);
}

TEST_CASE("a clock that was set back makes a chain unknown") {
  VerifiedChains chains;
  chains.add(key(1), 1000, {kNoEnd});
  CHECK_FALSE(chains.find(key(1), 999));
}

TEST_CASE("when there are too many verified chains the ended ones go, then the oldest") {
  VerifiedChains chains;
  const auto most = static_cast<unsigned>(VerifiedChains::kMost);
  chains.add(key(0), 1000, {1001});
  for (unsigned i = 1; i < most; ++i) chains.add(key(i), 1000 + (i > 1 ? 1 : 0), {kNoEnd});
  CHECK(chains.size() == most);
  chains.add(key(most), 1002, {kNoEnd});
  CHECK(chains.size() == most);
  CHECK(chains.find(key(1), 1002));
  chains.add(key(most + 1), 1002, {kNoEnd});
  CHECK(chains.size() == most);
  CHECK_FALSE(chains.find(key(1), 1002));
  CHECK(chains.find(key(2), 1002));
}

}  // namespace tunnel::tls::verified_chains_test
