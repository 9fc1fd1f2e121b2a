// SPDX-License-Identifier: MIT
#include "process/notify.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/fd.h"
#include "support/scratch.h"

namespace tunnel::process {
namespace {

// A service manager of the test's own.
class ServiceManager {
 public:
  explicit ServiceManager(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    const SocketAddress address = SocketAddress::unix_path(path).value();
    REQUIRE(::bind(fd_.get(), address.get(), address.length()) == 0);
  }
  std::string receive() {
    char buffer[4096];
    const ssize_t n = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    REQUIRE(n >= 0);
    return {buffer, static_cast<std::size_t>(n)};
  }

 private:
  Fd fd_;
};

}  // namespace

TEST_CASE("the service manager hears that we are ready, who we are, and that we stop") {
  const test::Scratch scratch;
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
  const test::Scratch scratch;
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
