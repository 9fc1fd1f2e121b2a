// SPDX-License-Identifier: MIT
#include "config/changes.h"

#include <doctest/doctest.h>

namespace tunnel::config::changes_test {
namespace {

Target target(const std::string& text) {
  Target made;
  made.host = made.text = text;
  made.port = 636;
  return made;
}

Service service(const std::string& name, TargetGroups connect = {{target("dc1:636")}}) {
  Service made;
  made.name = name;
  made.connect = std::move(connect);
  return made;
}

Config config(std::vector<Service> services) {
  Config made;
  made.services = std::move(services);
  return made;
}

// The phrases about the one service that both configurations have.
std::vector<std::string> phrases(const Service& before, const Service& after) {
  const auto all = changes(config({before}), config({after}));
  REQUIRE(all.size() == 1);
  CHECK((all[0].what == ServiceChange::What::unchanged) == all[0].phrases.empty());
  return all[0].phrases;
}

using Phrases = std::vector<std::string>;
using What = ServiceChange::What;

}  // namespace

TEST_SUITE("config changes") {
  TEST_CASE("equal services are unchanged") {
    CHECK(phrases(service("ldap"), service("ldap")).empty());
  }

  TEST_CASE("services come in the order of the new file, then those that are gone") {
    const auto all = changes(config({service("a"), service("b"), service("c")}),
                             config({service("c"), service("new"), service("b")}));
    CHECK(all == std::vector<ServiceChange>{{"c", What::unchanged, {}},
                                            {"new", What::added, {}},
                                            {"b", What::unchanged, {}},
                                            {"a", What::removed, {}}});
  }

  TEST_CASE("added and removed targets are named") {
    CHECK(phrases(service("s", {{target("dc1:636"), target("dc2:636")}}),
                  service("s", {{target("dc1:636"), target("dc3:636")}})) ==
          Phrases{"target dc3:636 added", "target dc2:636 removed"});
  }

  TEST_CASE("a target under another certificate name is another target") {
    Target renamed = target("dc1:636");
    renamed.name = "dc9";
    CHECK(phrases(service("s"), service("s", {{renamed}})) ==
          Phrases{"target dc1:636 added", "target dc1:636 removed"});
  }

  TEST_CASE("a target that is named twice and then once has lost one entry") {
    CHECK(phrases(service("s", {{target("dc1:636"), target("dc1:636")}}), service("s")) ==
          Phrases{"target dc1:636 removed"});
  }

  TEST_CASE("weight, limit, expansion and group of a target are told apart") {
    Target changed = target("dc2:636");
    changed.weight = 3;
    changed.max_connections = 10;
    changed.expand = true;
    CHECK(phrases(service("s", {{target("dc1:636"), target("dc2:636")}}),
                  service("s", {{target("dc1:636")}, {changed}})) ==
          Phrases{"target dc2:636 has weight 3 instead of 1",
                  "target dc2:636 max_connections changed", "target dc2:636 expand changed",
                  "target dc2:636 moved from group 1 to group 2"});
  }

  TEST_CASE("another order of the same targets is a change") {
    CHECK(phrases(service("s", {{target("dc1:636"), target("dc2:636")}}),
                  service("s", {{target("dc2:636"), target("dc1:636")}})) ==
          Phrases{"order of targets changed"});
  }

  TEST_CASE("keys are named in full, those of tls without its name, values never") {
    Service before = service("s");
    Service after = before;
    before.tls->psk_identity = "old secret";
    after.tls->ca = {"/etc/ca.pem"};
    after.timeouts.idle = Millis(5000);
    after.max_connections = 7;
    CHECK(phrases(before, after) == Phrases{"ca changed", "psk_identity changed",
                                            "max_connections changed", "timeouts.idle changed"});
  }

  TEST_CASE("tls = false is a change of tls") {
    Service after = service("s");
    after.tls.reset();
    CHECK(phrases(service("s"), after) == Phrases{"tls changed"});
    CHECK(phrases(after, service("s")) == Phrases{"tls changed"});
  }

  TEST_CASE("global keys that need a restart are a part of those that changed") {
    Global before;
    Global after;
    after.log_level = log::Level::debug;
    after.workers = 3;
    after.user = "nobody";
    after.control = "/run/other.sock";
    CHECK(changed_keys(before, before).empty());
    after.status_allow_remote = true;
    CHECK(changed_keys(before, after) ==
          Phrases{"log_level", "workers", "user", "control", "status_allow_remote"});
    CHECK(keys_for_restart(before, after) == Phrases{"workers", "user", "control"});
  }
}

}  // namespace tunnel::config::changes_test
