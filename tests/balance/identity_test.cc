// SPDX-License-Identifier: MIT
#include "balance/identity.h"

#include <doctest/doctest.h>

#include <memory>

namespace tunnel::balance::identity_test {

TEST_CASE("it is time to look at a server's certificate at first, and then once a minute") {
  ShownIdentity shown;
  CHECK(shown.is_due(1000));
  CHECK_FALSE(shown.is_due(1000));
  CHECK_FALSE(shown.is_due(1059));
  CHECK(shown.is_due(1060));
  CHECK_FALSE(shown.is_due(1060));
  CHECK(shown.is_due(900));  // the clock was set back
}

TEST_CASE(
    "the identity that was shown last is the one that is seen, and stays while it is looked at") {
  ShownIdentity shown;
  CHECK(shown.get() == nullptr);
  shown.show(std::make_shared<const Identity>(Identity{.subject = "CN=old"}));
  const auto seen = shown.get();
  shown.show(std::make_shared<const Identity>(Identity{.subject = "CN=new"}));
  CHECK(seen->subject == "CN=old");
  CHECK(shown.get()->subject == "CN=new");
}

}  // namespace tunnel::balance::identity_test
