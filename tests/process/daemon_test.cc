// SPDX-License-Identifier: MIT
#include "process/daemon.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>

namespace tunnel::process {
namespace {

struct Pipe {
  Fd reading, writing;
  Pipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    reading = Fd(ends[0]);
    writing = Fd(ends[1]);
  }
  // Until every writer has closed its end: an event, not a wait for luck.
  std::string read_to_end() {
    writing.reset();
    std::string text;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(reading.get(), buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(n));
    }
    return text;
  }
};

void say(int fd, const std::string& text) {
  if (::write(fd, text.data(), text.size()) < 0) ::_exit(99);
}

struct Observed {
  int exit_status = -1;  // the caller's
  pid_t caller = 0;
  std::string standard_error;  // the caller's, and the daemon's before it was ready
  std::string said;            // by the daemon, to the test
};

// Plays a shell that starts a daemon whose main is `daemon_main(readiness, fd to the test)`.
Observed run(const std::function<void(Readiness, int)>& daemon_main) {
  Pipe standard_error;
  Pipe said;
  Observed seen;
  seen.caller = ::fork();
  REQUIRE(seen.caller >= 0);
  if (seen.caller == 0) {
    (void)::dup2(standard_error.writing.get(), STDERR_FILENO);
    (void)::dup2(standard_error.writing.get(), STDOUT_FILENO);
    Result<Daemonized> both = daemonize();
    if (!both) ::_exit(98);
    if (both->exit_status) ::_exit(*both->exit_status);
    standard_error.writing.reset();
    daemon_main(std::move(both->readiness), said.writing.get());
    ::_exit(0);
  }
  seen.standard_error = standard_error.read_to_end();
  int status = 0;
  REQUIRE(::waitpid(seen.caller, &status, 0) == seen.caller);
  REQUIRE(WIFEXITED(status));
  seen.exit_status = WEXITSTATUS(status);
  seen.said = said.read_to_end();
  return seen;
}

}  // namespace

TEST_CASE("what is said at start reaches the caller, what is said later does not") {
  const Observed seen = run([](Readiness readiness, int test) {
    say(STDERR_FILENO, "warning at start\n");
    readiness.ready();
    say(STDERR_FILENO, "after readiness\n");
    say(test, "alive");
  });
  CHECK(seen.exit_status == 0);
  CHECK(seen.standard_error == "warning at start\n");
  CHECK(seen.said == "alive");
}

TEST_CASE("the caller comes back while the daemon is still running") {
  Pipe release;
  Pipe said;
  const pid_t caller = ::fork();
  REQUIRE(caller >= 0);
  if (caller == 0) {
    Result<Daemonized> both = daemonize();
    if (!both || both->exit_status) ::_exit(both ? *both->exit_status : 98);
    release.writing.reset();
    both->readiness.ready();
    char c = 0;
    (void)!::read(release.reading.get(), &c, 1);  // until the test lets go
    say(said.writing.get(), "released");
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(caller, &status, 0) == caller);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  release.writing.reset();
  CHECK(said.read_to_end() == "released");
}

TEST_CASE("a ready daemon has its own session, works in /, and holds no stream of the caller") {
  const Observed seen = run([](Readiness readiness, int test) {
    readiness.ready();
    struct stat null {};
    struct stat stream {};
    (void)::stat("/dev/null", &null);
    std::string report = ::getsid(0) == ::getpid() ? "session " : "";
    char folder[4096];
    report += ::getcwd(folder, sizeof folder);
    for (int fd = 0; fd < 3; ++fd) {
      const bool is_null = ::fstat(fd, &stream) == 0 && stream.st_rdev == null.st_rdev;
      report += is_null ? " null" : " open";
    }
    say(test, report);
  });
  CHECK(seen.said == "session / null null null");
}

TEST_CASE("a failure at start reaches the caller's standard error and exit status") {
  const Observed seen = run([](Readiness readiness, int) {
    readiness.failed("cannot bind 127.0.0.1:389: address already in use", 1);
  });
  CHECK(seen.exit_status == 1);
  CHECK(seen.standard_error == "cannot bind 127.0.0.1:389: address already in use\n");
}

TEST_CASE("a failure that was already said adds no empty line") {
  const Observed seen = run([](Readiness readiness, int) { readiness.failed("", 2); });
  CHECK(seen.exit_status == 2);
  CHECK(seen.standard_error.empty());
}

TEST_CASE("a daemon that is killed before it is ready is reported by the signal's name") {
  const Observed seen = run([](Readiness, int) { (void)::raise(SIGKILL); });
  CHECK(seen.exit_status == 1);
  CHECK(seen.standard_error.find("before it was ready: Killed") != std::string::npos);
}

TEST_CASE("a daemon that leaves without a word is no success") {
  CHECK(run([](Readiness, int) { ::_exit(0); }).exit_status == 1);
  CHECK(run([](Readiness, int) { ::_exit(2); }).exit_status == 2);
}

TEST_CASE("a caller that was killed while waiting does not kill the daemon") {
  Pipe said;
  Pipe started;
  const pid_t caller = ::fork();
  REQUIRE(caller >= 0);
  if (caller == 0) {
    Result<Daemonized> both = daemonize();
    if (!both || both->exit_status) ::_exit(97);
    say(started.writing.get(), "x");
    started.writing.reset();
    const pid_t parent = ::getppid();
    if (parent > 1) (void)::kill(parent, SIGKILL);
    while (::getppid() == parent) ::usleep(1000);  // until it is gone, and its end of the pipe
    both->readiness.ready();
    say(said.writing.get(), "survived");
    ::_exit(0);
  }
  CHECK(started.read_to_end() == "x");
  int status = 0;
  REQUIRE(::waitpid(caller, &status, 0) == caller);
  CHECK(WIFSIGNALED(status));
  CHECK(said.read_to_end() == "survived");
}

TEST_CASE("in the foreground nobody waits, and nothing is detached") {
  Readiness readiness;
  char before[4096];
  char after[4096];
  REQUIRE(::getcwd(before, sizeof before));
  readiness.ready();
  readiness.failed("not shown", 1);
  REQUIRE(::getcwd(after, sizeof after));
  CHECK(std::string(before) == after);
}

}  // namespace tunnel::process
