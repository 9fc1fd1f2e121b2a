// SPDX-License-Identifier: MIT
#include "balance/policy_words.h"

#include <doctest/doctest.h>

#include <string>

#include "config/load.h"

namespace tunnel::balance::policy_words_test {

TEST_CASE("a policy is called as the configuration has it") {
  using config::Balance;
  for (const Balance policy : {Balance::round_robin, Balance::least_connections, Balance::random,
                               Balance::hash, Balance::first}) {
    const std::string name(word(policy));
    CAPTURE(name);
    const auto read = config::parse(
        "[svc]\naccept = \"127.0.0.1:1\"\nconnect = \"localhost:2\"\n"
        "balance = \"" +
            name + "\"\n",
        "t.toml", config::System::leave_alone);
    REQUIRE(read.render() == "");
    CHECK(read.config.services.at(0).balance == policy);
    CHECK_FALSE(meaning(policy).empty());
  }
}

}  // namespace tunnel::balance::policy_words_test
