// SPDX-License-Identifier: MIT
#include "runtime/succession.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/fake_log.h"
#include "support/sockets.h"

namespace tunnel::runtime::succession_test {
namespace {

// A shell script instead of a new version, as in the tests of Upgrade.
process::Program shell(const std::string& script) {
  return {.path = "/bin/sh", .folder = "/", .arguments = {"sh", "-c", script}};
}

struct World {
  uv::Loop loop;
  test::FakeLog log;
  std::vector<std::string> events;
  Succession succession;

  explicit World(Result<process::Program> program, std::string followed_by = "")
      : succession(loop, log,
                   {.program = std::move(program),
                    .followed_by = std::move(followed_by),
                    .take_back =
                        [this] {
                          events.emplace_back("take back");
                          return std::string("; it was root");
                        }},
                   {.handed = [] { return std::vector<process::Handed>(); },
                    .on_succeeded = [this](pid_t) { events.emplace_back("succeeded"); },
                    .on_refused = [this](const std::string& why) { events.push_back(why); },
                    .on_over = [this] { events.emplace_back("over"); }}) {}
  bool has(std::string_view event) const { return !events.empty() && events.back() == event; }
};

}  // namespace

TEST_SUITE("succession") {
  TEST_CASE("what keeps the owner from it is refused, and so is one that a supervisor would undo") {
    World world(shell("exit 0"));
    world.succession.want("the process is stopping");
    CHECK_FALSE(world.succession.is_wanted());
    CHECK(world.events == std::vector<std::string>{"the process is stopping"});
    CHECK(world.log.lines == std::vector<std::string>{"error: no upgrade, this process goes on as "
                                                      "it is: the process is stopping"});
    World followed(shell("exit 0"), "runsv");
    followed.succession.want("");
    CHECK_FALSE(followed.succession.is_wanted());
    REQUIRE(followed.events.size() == 1);
    CHECK(followed.events.front().starts_with("runsv follows the process that it has started"));
  }

  TEST_CASE("a second wish is refused while the first waits") {
    World world(shell("exit 0"));
    world.succession.want("");
    CHECK(world.succession.is_wanted());
    world.succession.want("");
    CHECK(world.events == std::vector<std::string>{"an upgrade is under way"});
    CHECK(world.succession.is_wanted());
  }

  TEST_CASE("a program that is not known cannot be started, and other work goes on") {
    World world(failed(ErrorCode::not_found, "no /proc"));
    world.succession.want("");
    world.succession.begin();
    CHECK_FALSE(world.succession.is_wanted());
    CHECK_FALSE(world.succession.is_under_way());
    CHECK(world.events == std::vector<std::string>{"no /proc", "over"});
  }

  TEST_CASE("a successor that ends early gives back what it had") {
    World world(shell("exit 3"));
    world.succession.want("");
    world.succession.begin();
    CHECK(world.succession.is_under_way());
    uv::testing::turn_until(world.loop, [&] { return world.has("over"); });
    CHECK_FALSE(world.succession.is_under_way());
    CHECK(world.events ==
          std::vector<std::string>{
              "take back", "the new process ended with exit status 3; it was root", "over"});
  }

  TEST_CASE("a successor that is ready takes over, with what it said in our log") {
    World world(shell("echo careful >&2; echo >&3; read answer <&3; exit 0"));
    world.succession.want("");
    world.succession.begin();
    uv::testing::turn_until(world.loop, [&] { return world.has("succeeded"); });
    CHECK(world.events.size() == 1);
    REQUIRE(world.log.lines.size() == 2);
    CHECK(world.log.lines.back() == "warning: the new process said: careful\\x0a");
  }

  TEST_CASE("one that is abandoned is killed, and what it had is taken back") {
    World world(shell("exec sleep 1000"));
    world.succession.abandon();
    CHECK(world.events.empty());
    world.succession.want("");
    world.succession.begin();
    world.succession.abandon();
    CHECK_FALSE(world.succession.is_under_way());
    CHECK(world.events == std::vector<std::string>{"take back"});
  }
}

}  // namespace tunnel::runtime::succession_test
