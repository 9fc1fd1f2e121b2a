// SPDX-License-Identifier: MIT
#include "runtime/descriptor_store.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <string>

#include "support/fake_log.h"
#include "support/service_manager.h"
#include "support/temp_folder.h"

namespace tunnel::runtime::descriptor_store_test {
namespace {

// A store at a manager that says how many descriptors it keeps, or nothing (null).
struct World {
  const test::TempFolder scratch;
  test::ServiceManager manager{scratch / "notify"};
  process::Notifier notifier{(scratch / "notify").c_str()};
  test::FakeLog log;
  DescriptorStore store{notifier, log};
  const Fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};

  explicit World(const char* most) {
    if (most != nullptr) (void)::setenv("FDSTORE", most, 1);
  }
  ~World() { (void)::unsetenv("FDSTORE"); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] OwnSocket own(const std::string& name, int family = AF_INET) const {
    return {{name, socket.get()}, family};
  }
};

}  // namespace

TEST_SUITE("descriptor store") {
  TEST_CASE("a listener is given once, and dropped when it is not ours any more") {
    World world("64");
    world.store.open();
    world.store.keep({world.own("one")});
    CHECK(world.manager.receive() == "FDSTORE=1\nFDNAME=one\nFDPOLL=0");
    world.store.keep({world.own("one"), world.own("two")});
    CHECK(world.manager.receive() == "FDSTORE=1\nFDNAME=two\nFDPOLL=0");
    world.store.keep({world.own("two")});
    CHECK(world.manager.receive() == "FDSTOREREMOVE=1\nFDNAME=one");
    CHECK_FALSE(world.manager.has_message());
  }

  TEST_CASE("nothing is given before the process is ready") {
    World world("64");
    world.store.keep({world.own("one")});
    CHECK_FALSE(world.manager.has_message());
  }

  TEST_CASE("a manager without a store is not asked") {
    World world("0");
    world.store.open();
    world.store.keep({world.own("one")});
    CHECK_FALSE(world.manager.has_message());
    CHECK_FALSE(world.store.keeps_files());
  }

  TEST_CASE("a manager that does not say what it keeps gets no sockets with a file") {
    World world(nullptr);
    world.store.open();
    world.store.keep({world.own("file", AF_UNIX), world.own("port")});
    CHECK(world.manager.receive() == "FDSTORE=1\nFDNAME=port\nFDPOLL=0");
    CHECK_FALSE(world.manager.has_message());
    CHECK_FALSE(world.store.keeps_files());
  }

  TEST_CASE("a listener that cannot be given is a warning") {
    World world("64");
    const process::Notifier deaf((world.scratch / "nobody").c_str());
    DescriptorStore store(deaf, world.log);
    store.open();
    store.keep({world.own("one")});
    REQUIRE(world.log.lines.size() == 1);
    CHECK(world.log.lines.front().starts_with(
        "warning: cannot leave a listener to the service manager: "));
    // It may hear the next time.
    store.keep({world.own("one")});
    CHECK(world.log.lines.size() == 2);
  }
}

}  // namespace tunnel::runtime::descriptor_store_test
