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
  CHECK_FALSE(outcome.has_failed());
}

TEST_CASE("a connection has failed unless it ended in order or the process was stopped") {
  CHECK_FALSE(Outcome{Kind::stopped, Side::tunnel, "the tunnel was stopped"}.has_failed());
  CHECK(Outcome{Kind::reset_by_client, Side::client, ""}.has_failed());
  CHECK(Outcome{Kind::connect_refused, Side::server, ""}.has_failed());
}

}  // namespace tunnel
