// SPDX-License-Identifier: MIT
#include "runtime/credential_watch.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/watched_file.h"
#include "support/fake_log.h"

namespace tunnel::runtime::credential_watch_test {
namespace {

using testing::files;

// A snapshot with one service whose files are looked at after a millisecond.
struct World {
  uv::Loop loop;
  test::FakeLog log;
  int looks = 0;
  bool is_busy = false;
  ServiceHandle service{std::make_shared<const ServiceConfig>(config::Service(), nullptr, nullptr),
                        std::make_shared<ServiceLife>(1, "ldap")};
  CredentialWatch watch{loop, log, [this] {
                          ++looks;
                          loop.stop();
                          return !is_busy;
                        }};

  explicit World(config::Timeout period = Millis(1)) { use(files(1), period); }
  void use(const FileIdentities& loaded, config::Timeout period = Millis(1)) {
    Snapshot snapshot;
    snapshot.services = {service};
    snapshot.files[1] = loaded;
    snapshot.global.certificate_poll = period;
    watch.use(snapshot);
  }
  void settle(const FileIdentities& found) {
    watch.on_looked({{1, found}});
    watch.on_looked({{1, found}});
  }
};

}  // namespace

TEST_SUITE("credential watch") {
  TEST_CASE("changed files are named once they are at rest") {
    World world;
    world.loop.run();
    CHECK(world.looks == 1);
    world.watch.on_looked({{1, files(2)}});
    CHECK_FALSE(world.watch.take_settled());
    world.watch.on_looked({{1, files(2)}});
    CHECK(world.watch.take_settled() == ServiceId{1});
    CHECK_FALSE(world.watch.take_settled());
  }

  TEST_CASE("files are looked at again after each look") {
    World world;
    world.loop.run();
    world.watch.on_looked({{1, files(1)}});
    world.loop.run();
    CHECK(world.looks == 2);
  }

  TEST_CASE("a look that cannot be now is tried again") {
    World world;
    world.is_busy = true;
    world.loop.run();
    world.loop.run();
    CHECK(world.looks == 2);
  }

  TEST_CASE("what a reload has loaded meanwhile is not loaded once more") {
    World world;
    world.settle(files(2));
    world.use(files(2));
    CHECK_FALSE(world.watch.take_settled());
  }

  TEST_CASE("what waits to be loaded outlives that another configuration comes into force") {
    World world;
    world.settle(files(2));
    world.use(files(1));
    CHECK(world.watch.take_settled() == ServiceId{1});
    CHECK_FALSE(world.watch.take_settled());
  }

  TEST_CASE("a service that has gone meanwhile is passed over") {
    World world;
    world.watch.on_looked({{7, files(2)}});
    world.watch.on_looked({{7, files(2)}});
    CHECK_FALSE(world.watch.take_settled());
    CHECK(world.watch.has(1));
    CHECK_FALSE(world.watch.has(7));
  }

  TEST_CASE("what a look finds after the stop is of no interest") {
    World world;
    world.watch.stop();
    world.watch.on_looked({{1, files(2)}});
    world.watch.on_looked({{1, files(2)}});
    CHECK_FALSE(world.watch.take_settled());
  }

  TEST_CASE("files that cannot be loaded are a warning, and not the same one again and again") {
    World world;
    for (int i = 0; i < 3; ++i) world.watch.refused(world.service, {"no such file"});
    CHECK(world.log.lines ==
          std::vector<std::string>{"warning: changed credential files are not taken over, the old "
                                   "ones serve on: no such file"});
    CHECK(world.service.life->files_refused.value() == 3);
  }
}

}  // namespace tunnel::runtime::credential_watch_test
