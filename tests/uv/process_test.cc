// SPDX-License-Identifier: MIT
#include "uv/process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>

namespace tunnel::uv {
namespace {

struct Running {
  Loop loop;
  std::unique_ptr<Process> process;
  Fd mine;
  std::optional<Process::Ended> ended;

  explicit Running(const Process::Command& command) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    mine = Fd(ends[0]);
    process = Process::start(loop, command, Fd(ends[1]), [this](Process::Ended how) {
                ended = how;
                process.reset();
                loop.stop();
              }).value();
  }
  std::string output() {
    std::string text;
    std::array<char, 4096> buffer{};
    ssize_t count = 0;
    while ((count = ::read(mine.get(), buffer.data(), buffer.size())) > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
  }
};

Process::Command shell(const std::string& script) { return {"/bin/sh", "sh", {"-c", script}}; }

}  // namespace

TEST_CASE("a program talks through its standard input and output and its status is told") {
  Running running(shell("read line; echo \"heard $line as $0\"; exit 7"));
  REQUIRE(::write(running.mine.get(), "this\n", 5) == 5);
  CHECK(running.output() == "heard this as sh\n");
  running.loop.run();
  REQUIRE(running.ended.has_value());
  CHECK(running.ended->status == 7);
  CHECK(running.ended->signal == 0);
}

TEST_CASE("a program has no descriptor of ours, even one that was not close-on-exec") {
  const Fd leaky(::open("/dev/null", O_RDONLY));
  REQUIRE(leaky.valid());
  const std::string probe = "/proc/self/fd/" + std::to_string(leaky.get());
  Running running(shell("test -e " + probe + " && echo leaked; echo done"));
  CHECK(running.output() == "done\n");
  running.loop.run();
}

TEST_CASE("a signal ends a program, and is told") {
  Running running(shell("while :; do read line || sleep 1; done"));
  running.process->kill(SIGTERM);
  running.loop.run();
  REQUIRE(running.ended.has_value());
  CHECK(running.ended->signal == SIGTERM);
}

TEST_CASE("a program that is not there is an error") {
  Loop loop;
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const Fd mine(ends[0]);
  const auto process =
      Process::start(loop, {"/no/such/program", "x", {}}, Fd(ends[1]), [](Process::Ended) {});
  REQUIRE_FALSE(process.has_value());
  CHECK(process.error().text.starts_with("cannot run /no/such/program"));
}

}  // namespace tunnel::uv
