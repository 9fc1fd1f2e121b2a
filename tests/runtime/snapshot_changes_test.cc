// SPDX-License-Identifier: MIT
#include "runtime/snapshot_changes.h"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/snapshot_index.h"

namespace tunnel::runtime::snapshot_changes_test {
namespace {

using Lines = std::vector<std::string>;

// Services live on under their names.
struct World {
  std::map<std::string, std::shared_ptr<ServiceLife>> lives;

  ServiceHandle make(const std::string& name, Millis idle = Millis(0)) {
    config::Service service;
    service.name = name;
    if (idle > Millis(0)) service.timeouts.idle = idle;
    std::shared_ptr<ServiceLife>& life = lives[name];
    if (!life) life = std::make_shared<ServiceLife>(lives.size(), name);
    return {std::make_shared<const ServiceConfig>(service, nullptr, nullptr), life};
  }
};

Snapshot of(std::vector<ServiceHandle> services) {
  Snapshot snapshot;
  snapshot.services = std::move(services);
  return snapshot;
}

}  // namespace

TEST_SUITE("snapshot changes") {
  TEST_CASE("each service has a line that says what has changed and how many connections stay") {
    World world;
    const ServiceHandle same = world.make("same");
    const Snapshot before = of({same, world.make("other"), world.make("gone")});
    same.life->connections = 2;
    before.services[1].life->connections = 1;
    const Snapshot after = of({same, world.make("other", Millis(5000)), world.make("new")});
    CHECK(describe_changes(before, after) ==
          Lines{"same: unchanged, 2 connections kept",
                "other: timeouts.idle changed, 1 connection kept", "new: added",
                "gone: removed, 0 connections kept as on_removed says"});
  }

  TEST_CASE(
      "a service with the same settings that was loaded anew has read its credentials again") {
    World world;
    const Snapshot before = of({world.make("ldap")});
    const Snapshot after = of({world.make("ldap")});
    CHECK(describe_changes(before, after) ==
          Lines{"ldap: credentials read again, 0 connections kept"});
  }

  TEST_CASE("an index knows services, those that go on as they were, and warnings") {
    World world;
    const ServiceHandle same = world.make("same");
    Snapshot before = of({same, world.make("other")});
    before.warnings = {{"same", "expires soon"}};
    const SnapshotIndex index(&before);
    CHECK(index.has_same(same));
    CHECK_FALSE(index.has_same(world.make("other")));
    CHECK(index.has(world.make("other").life->id));
    CHECK_FALSE(index.has(world.make("new").life->id));
    CHECK(index.has(Warning{"same", "expires soon"}));
    CHECK_FALSE(index.has(Warning{"other", "expires soon"}));
    CHECK_FALSE(SnapshotIndex(nullptr).has_same(same));
  }

  TEST_CASE("a service is found by its id, which is never another one's") {
    World world;
    const Snapshot snapshot = of({world.make("one"), world.make("two")});
    CHECK(find(snapshot, 2) == &snapshot.services[1]);
    CHECK(find(snapshot, 3) == nullptr);
  }
}

}  // namespace tunnel::runtime::snapshot_changes_test
