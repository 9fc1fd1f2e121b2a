// SPDX-License-Identifier: MIT
#include "process/launcher.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "support/contains.h"

namespace tunnel::process {
namespace {

// A shell that runs a script, and what it writes to its standard error.
class Shell {
 public:
  explicit Shell(const std::string& script, const std::string& path = "/bin/sh") {
    const Program program{.path = path, .folder = "/", .arguments = {"sh", "-c", script}};
    auto started = Launcher::start(program, {});
    REQUIRE(started.has_value());
    launcher = std::move(*started);
  }

  Result<pid_t> launch(const std::vector<Handed>& handed = {}) {
    int pipe[2];
    REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
    said_ = Fd(pipe[0]);
    const Fd its(pipe[1]);
    return launcher->launch(handed, its.get());
  }

  // Until its end.
  std::string said() {
    std::string text;
    char buffer[512];
    for (;;) {
      const ssize_t n = ::read(said_.get(), buffer, sizeof buffer);
      if (n <= 0) return text;
      text.append(buffer, static_cast<std::size_t>(n));
    }
  }

  Launcher::Ended ended() {
    for (;;) {
      pollfd wait{.fd = launcher->fd(), .events = POLLIN, .revents = 0};
      REQUIRE(::poll(&wait, 1, -1) == 1);
      if (const auto how = launcher->ended()) return *how;
    }
  }

  std::unique_ptr<Launcher> launcher;

 private:
  Fd said_;
};

}  // namespace

TEST_CASE("What is launched has the arguments, the folder and the process that was told") {
  Shell shell("echo $$ $PPID $TUNNEL_UPGRADE $(pwd) >&2; exit 3");
  const auto pid = shell.launch();
  REQUIRE(pid.has_value());
  const std::string said = shell.said();
  CHECK(said.starts_with(std::to_string(*pid) + " "));
  CHECK(said.ends_with(" /\n"));
  // The parent that it will look for is the launcher.
  const std::string parent = said.substr(said.find(' ') + 1, said.rfind(" /") - said.find(' ') - 1);
  CHECK(parent.substr(0, parent.find(' ')) == parent.substr(parent.find(' ') + 1));
  const auto how = shell.ended();
  CHECK(how.status == 3);
  CHECK(how.signal == 0);
}

TEST_CASE("Descriptors arrive in their order, with their names, however many") {
  Shell shell("echo $LISTEN_FDS >&2; cat <&3 >&2; cat <&4 >&2; echo ${LISTEN_FDNAMES%%n2:*} >&2");
  std::vector<Fd> open;
  std::vector<Handed> handed;
  for (int i = 0; i < 300; ++i) {
    int pipe[2];
    REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
    const std::string text = "piece " + std::to_string(i) + "\n";
    REQUIRE(::write(pipe[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    (void)::close(pipe[1]);
    open.emplace_back(pipe[0]);
    handed.push_back({"n" + std::to_string(i), pipe[0]});
  }
  REQUIRE(shell.launch(handed).has_value());
  CHECK(shell.said() == "300\npiece 0\npiece 1\nn0:n1:\n");
}

TEST_CASE("A program that is not there is an error at once, and the next try is a new one") {
  Shell shell("", "/nonexistent/tunnel");
  for (int i = 0; i < 2; ++i) {
    const auto pid = shell.launch();
    REQUIRE_FALSE(pid.has_value());
    CHECK(pid.error().text == test::Contains("cannot run /nonexistent/tunnel: No such file"));
  }
}

TEST_CASE("What was launched can be killed, and launched again") {
  Shell shell("exec sleep 1000");
  for (int i = 0; i < 2; ++i) {
    REQUIRE(shell.launch().has_value());
    CHECK_FALSE(shell.launcher->ended());
    shell.launcher->kill();
    CHECK(shell.ended().signal == 9);
  }
}

TEST_CASE("What was killed and waited for is there no more") {
  Shell shell("exec sleep 1000");
  const auto pid = shell.launch();
  REQUIRE(pid.has_value());
  shell.launcher->kill_and_wait();
  CHECK(::kill(*pid, 0) != 0);
  CHECK(errno == ESRCH);
}

TEST_CASE("Nothing else of the parent's is open in what is launched") {
  Fd open(::open("/dev/null", O_RDONLY));  // not close-on-exec
  Shell shell("ls /proc/self/fd | tr '\\n' ' ' >&2");
  REQUIRE(shell.launch().has_value());
  // ls itself has the folder open.
  CHECK(shell.said() == "0 1 2 3 ");
}

}  // namespace tunnel::process
