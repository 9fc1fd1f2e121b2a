// SPDX-License-Identifier: MIT
#include "tunnel/failed_attempts.h"

#include <doctest/doctest.h>

namespace tunnel::failed_attempts_test {

TEST_SUITE("failed attempts") {
  TEST_CASE("a connection ends as its last target failed, and all of them are named") {
    FailedAttempts attempts;
    CHECK(attempts.empty());
    CHECK(attempts.summary() == "not connected: no target could be tried");
    attempts.add("a:1", {{Kind::connect_refused, "a:1 refused", false}});
    CHECK(attempts.summary() == "not connected: a:1 failed");
    CHECK(attempts.outcome().side == Side::server);
    attempts.add("b:2", {{Kind::resolve_failed, "b is not known", true}});
    CHECK(attempts.summary() == "not connected: each of 2 targets failed");
    CHECK(attempts.kinds() == "a:1=connect_refused, b:2=resolve_failed");
    CHECK(attempts.sentences() == "a:1 refused; b is not known");
    CHECK(attempts.outcome().kind == Kind::resolve_failed);
    CHECK(attempts.outcome().side == Side::tunnel);
    CHECK(attempts.outcome().text == "b is not known");
  }

  TEST_CASE("a target whose time is over failed in the phase that it had come to") {
    const Millis limit{3000};
    CHECK(gave_up_on("a:1", Phase::resolving, limit).kind == Kind::resolve_failed);
    CHECK(gave_up_on("a:1", Phase::resolving, limit).is_local);
    CHECK(gave_up_on("a:1", Phase::connecting, limit).kind == Kind::connect_timeout);
    CHECK(gave_up_on("a:1", Phase::preamble, limit).kind == Kind::tls_timeout);
    CHECK(gave_up_on("a:1", Phase::preamble, limit).text ==
          "gave up on a:1 when 3s were over (timeouts.dial)");
  }
}

}  // namespace tunnel::failed_attempts_test
