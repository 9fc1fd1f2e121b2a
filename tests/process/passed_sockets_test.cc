// SPDX-License-Identifier: MIT
#include "process/passed_sockets.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "base/socket.h"

namespace tunnel::process {
namespace {

Fd listener() {
  Fd fd(::socket(AF_INET, SOCK_STREAM, 0));
  const SocketAddress any = SocketAddress::loopback_v4(0);
  REQUIRE(::bind(fd.get(), any.get(), any.length()) == 0);
  REQUIRE(::listen(fd.get(), 1) == 0);
  return fd;
}

PassedSockets::Socket passed(std::string name) {
  Fd fd = listener();
  const SocketAddress address = local_address(fd.get());
  return {std::move(name), std::move(fd), address};
}

}  // namespace

TEST_CASE("what is passed to another process is left to it, and the variables go all the same") {
  (void)::setenv("LISTEN_PID", "1", 1);
  (void)::setenv("LISTEN_FDS", "1", 1);
  (void)::setenv("LISTEN_FDNAMES", "x", 1);
  const auto taken = PassedSockets::take();
  REQUIRE(taken.has_value());
  CHECK(taken->names().empty());
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
    CHECK(::getenv(name) == nullptr);
  }
}

TEST_CASE("numbers that are none pass nothing") {
  (void)::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  (void)::setenv("LISTEN_FDS", "-3", 1);
  CHECK(PassedSockets::take()->names().empty());
  (void)::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  (void)::setenv("LISTEN_FDS", "2000000000", 1);
  CHECK_FALSE(PassedSockets::take().has_value());
}

TEST_CASE("several sockets may have one name") {
  std::vector<PassedSockets::Socket> sockets;
  sockets.push_back(passed("a"));
  sockets.push_back(passed("b"));
  sockets.push_back(passed("a"));
  const PassedSockets all(std::move(sockets));
  CHECK(all.names() == std::vector<std::string>{"a", "b"});
  const auto addresses = all.addresses_of("a");
  REQUIRE(addresses.size() == 2);
  CHECK(local_address(all.copy("a", addresses[1]).get()) == addresses[1]);
  CHECK_FALSE(all.copy("b", addresses[1]).valid());
}

TEST_CASE("what was kept for us has no name of a socket unit, and goes when nothing takes it") {
  const std::string name = kept_name("127.0.0.1:389");
  std::vector<PassedSockets::Socket> sockets;
  sockets.push_back(passed(name));
  sockets.push_back(passed(kept_name("127.0.0.1:390")));
  PassedSockets all(std::move(sockets));
  CHECK(all.names().empty());
  CHECK(all.take_kept(name).valid());
  CHECK_FALSE(all.take_kept(name).valid());
  CHECK(all.drop_kept() == std::vector<std::string>{kept_name("127.0.0.1:390")});
}

TEST_CASE(
    "the environment for the next process names what is handed over, and drops what was ours") {
  (void)::setenv("LISTEN_PID", "1", 1);
  (void)::setenv("WATCHDOG_PID", "1", 1);
  (void)::setenv("TUNNEL_UPGRADE", "1", 1);
  (void)::setenv("KEPT", "a=b", 1);
  const auto environment = handed_environment({{"web", 7}, {"tunnel-kept-[;;1];389", 9}});
  for (const char* name : {"LISTEN_PID", "WATCHDOG_PID", "TUNNEL_UPGRADE"}) (void)::unsetenv(name);
  const auto count = [&](std::string_view start) {
    return std::count_if(environment.begin(), environment.end(),
                         [&](const std::string& each) { return each.starts_with(start); });
  };
  const auto has = [&](const std::string& line) {
    return std::find(environment.begin(), environment.end(), line) != environment.end();
  };
  CHECK(has("KEPT=a=b"));
  CHECK(has("LISTEN_FDS=2"));
  CHECK(has("LISTEN_FDNAMES=web:tunnel-kept-[;;1];389"));
  CHECK(has("TUNNEL_UPGRADE=" + std::to_string(::getpid())));
  CHECK(count("LISTEN_PID=") == 0);
  CHECK(count("WATCHDOG_PID=") == 0);
  CHECK(count("TUNNEL_UPGRADE=") == 1);
}

TEST_CASE("what another process than the parent is said to hand over is left alone") {
  (void)::setenv("TUNNEL_UPGRADE", "1", 1);
  (void)::setenv("LISTEN_FDS", "1", 1);
  const auto taken = PassedSockets::take();
  REQUIRE(taken.has_value());
  CHECK_FALSE(taken->is_upgrade());
  CHECK(::getenv("TUNNEL_UPGRADE") == nullptr);
}

TEST_CASE("only the sockets of socket units are handed on under the names they have") {
  std::vector<PassedSockets::Socket> sockets;
  sockets.push_back(passed("web"));
  sockets.push_back(passed(kept_name("127.0.0.1:390")));
  const PassedSockets all(std::move(sockets));
  const auto given = all.given();
  REQUIRE(given.size() == 1);
  CHECK(given[0].name == "web");
}

TEST_CASE(
    "a name in keeping has no colon and is never too long, and differs where the place does") {
  CHECK(kept_name("[::1]:389") == "tunnel-kept-[;;1];389");
  const std::string path(300, 'a');
  CHECK(kept_name(path).size() < 255);
  CHECK(kept_name(path) != kept_name(path + "b"));
  CHECK(kept_name("a b") != kept_name("a\tb"));
}

}  // namespace tunnel::process
