// SPDX-License-Identifier: MIT
#include "base/outcome.h"

#include <doctest/doctest.h>

namespace tunnel {

TEST_CASE("the words for who ended a connection are those of the log") {
  CHECK(word(Side::client) == "client");
  CHECK(word(Side::server) == "server");
  CHECK(word(Side::tunnel) == "tunnel");
}

TEST_CASE("a connection that nothing has happened to has ended in order, by us") {
  const Outcome outcome;
  CHECK(outcome.kind == Kind::ok);
  CHECK(outcome.side == Side::tunnel);
  CHECK(outcome.text.empty());
}

}  // namespace tunnel
