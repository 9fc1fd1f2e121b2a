// SPDX-License-Identifier: MIT
#include "process/notify.h"

#include <doctest/doctest.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "support/service_manager.h"
#include "support/temp_folder.h"

namespace tunnel::process {
namespace {

using test::ServiceManager;

}  // namespace

TEST_CASE("the service manager hears that we are ready, who we are, and that we stop") {
  const test::TempFolder scratch;
  ServiceManager manager(scratch / "notify");
  const Notifier notifier((scratch / "notify").c_str());
  CHECK(notifier.ready("2 services").has_value());
  CHECK(manager.receive() ==
        "READY=1\nMAINPID=" + std::to_string(::getpid()) + "\nSTATUS=2 services");
  CHECK(notifier.ready("draining\nSTOPPING=1").has_value());
  CHECK(manager.receive().ends_with("\nSTATUS=draining\\x0aSTOPPING=1"));
  CHECK(notifier.stopping().has_value());
  CHECK(manager.receive() == "STOPPING=1");
}

TEST_CASE("a reload is announced with the time of the monotonic clock, in one message") {
  const test::TempFolder scratch;
  ServiceManager manager(scratch / "notify");
  const Notifier notifier((scratch / "notify").c_str());
  const auto microseconds = [] {
    timespec now{};
    (void)::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  };
  const std::int64_t before = microseconds();
  CHECK(notifier.reloading().has_value());
  const std::int64_t after = microseconds();
  const std::string message = manager.receive();
  const std::string prefix = "RELOADING=1\nMONOTONIC_USEC=";
  REQUIRE(message.starts_with(prefix));
  const std::int64_t stamp = std::stoll(message.substr(prefix.size()));
  CHECK(before <= stamp);
  CHECK(stamp <= after);
  CHECK(notifier.status("reload failed").has_value());
  CHECK(manager.receive() == "STATUS=reload failed");
}

TEST_CASE("a socket in the abstract namespace works") {
  const std::string name = "@tunnel-notify-test-" + std::to_string(::getpid());
  ServiceManager manager(name);
  CHECK(Notifier(name.c_str()).stopping().has_value());
  CHECK(manager.receive() == "STOPPING=1");
}

TEST_CASE("without a service manager nothing is sent and nothing fails") {
  CHECK(Notifier(nullptr).ready("x").has_value());
  CHECK(Notifier("").stopping().has_value());
}

TEST_CASE("a socket that nobody serves is an error, and not a hang") {
  const test::TempFolder scratch;
  CHECK_FALSE(Notifier((scratch / "none").c_str()).ready("x").has_value());
  CHECK_FALSE(Notifier("x").ready("x").has_value());
  // One that is not read: its queue fills up, and the call says so instead of waiting.
  ServiceManager deaf(scratch / "deaf");
  const Notifier notifier((scratch / "deaf").c_str());
  bool has_failed = false;
  for (int i = 0; i < 100'000 && !has_failed; ++i) has_failed = !notifier.stopping().has_value();
  CHECK(has_failed);
}

}  // namespace tunnel::process
