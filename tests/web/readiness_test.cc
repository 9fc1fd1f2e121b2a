// SPDX-License-Identifier: MIT
#include "web/readiness.h"

#include <doctest/doctest.h>

namespace tunnel::web::readiness_test {
namespace {

admin::Status with_target(const char* state) {
  admin::Status status;
  status.state = "running";
  status.services.emplace_back();
  status.services[0].name = "ldap";
  status.services[0].targets.emplace_back();
  status.services[0].targets[0].state = state;
  return status;
}

}  // namespace

TEST_CASE("a running process is ready, whatever its targets are like") {
  CHECK(why_not_ready(with_target("down"), Targets::ignored).empty());
}

TEST_CASE("where targets count, each service must have a usable one") {
  CHECK(why_not_ready(with_target("up"), Targets::wanted).empty());
  CHECK(why_not_ready(with_target("trial"), Targets::wanted).empty());
  for (const char* state : {"down", "ejected", "drained"}) {
    CHECK(why_not_ready(with_target(state), Targets::wanted) == "ldap: it has no usable target");
  }
}

TEST_CASE("who drains or stops is not ready") {
  admin::Status status = with_target("up");
  status.services[0].is_draining = true;
  CHECK(why_not_ready(status, Targets::ignored) == "ldap: it is draining");
  status.state = "draining";
  CHECK(why_not_ready(status, Targets::ignored) == "the process is stopping");
}

}  // namespace tunnel::web::readiness_test
