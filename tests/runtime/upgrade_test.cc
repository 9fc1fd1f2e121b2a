// SPDX-License-Identifier: MIT
#include "runtime/upgrade.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <optional>
#include <utility>

namespace tunnel::runtime::upgrade_test {
namespace {

// A shell script instead of a new version. Descriptor 3 is what it says "ready" on.
struct Try {
  uv::Loop loop;
  std::optional<Upgrade::Failed> failed;
  std::optional<std::string> said;
  pid_t pid = 0;
  std::unique_ptr<Upgrade> upgrade;

  explicit Try(const std::string& script, Millis patience = Upgrade::kPatience,
               const std::string& shell = "/bin/sh") {
    upgrade = std::make_unique<Upgrade>(loop,
                                        Upgrade::Events{[this](pid_t its, const std::string& text) {
                                                          pid = its;
                                                          said = text;
                                                          loop.stop();
                                                        },
                                                        [this](const Upgrade::Failed& how) {
                                                          upgrade.reset();
                                                          failed = how;
                                                          loop.stop();
                                                        }},
                                        nullptr, patience);
    started = upgrade->start({.path = shell, .folder = "/", .arguments = {"sh", "-c", script}}, {});
    if (started) loop.run();
  }
  Result<void> started;
};

}  // namespace

TEST_CASE("a process that says it is ready waits for us to finish") {
  Try one("echo careful >&2; echo >&3; read answer <&3; exit 0");
  REQUIRE(one.said);
  CHECK(*one.said == "careful\n");
  CHECK(one.pid == one.upgrade->pid());
  CHECK(::kill(one.pid, 0) == 0);
  one.upgrade->finish();
}

TEST_CASE("a process that ends before it is ready is a failure, with what it said") {
  Try one("echo 'no such key' >&2; exit 2");
  REQUIRE(one.failed);
  CHECK(word(one.failed->why) == "upgrade_exited");
  CHECK(one.failed->text == "the new process ended with exit status 2; it said: no such key");
  Try killed("kill -9 $$");
  REQUIRE(killed.failed);
  CHECK(killed.failed->text == "the new process was killed by signal 9");
}

TEST_CASE("a process that says much is a failure that quotes its beginning") {
  Try one("yes abc | head -n 100000 >&2; exit 1");
  REQUIRE(one.failed);
  CHECK(one.failed->text.size() < 20'000);
}

TEST_CASE("a process that is not ready in time is killed") {
  Try one("exec 3>&-; exec 2>&-; exec sleep 1000", Millis(50));
  REQUIRE(one.failed);
  CHECK(word(one.failed->why) == "upgrade_timeout");
  CHECK(one.failed->text == "the new process was not ready within 50ms and has been killed");
}

TEST_CASE("a program that is not there is told at once") {
  const Try one("", Upgrade::kPatience, "/nonexistent/tunnel");
  REQUIRE_FALSE(one.started.has_value());
  CHECK(one.started.error().text.find("/nonexistent/tunnel") != std::string::npos);
}

}  // namespace tunnel::runtime::upgrade_test
