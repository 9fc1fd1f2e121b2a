// SPDX-License-Identifier: MIT
// Each wall of the sandbox, tried by a child that has entered it.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "base/address.h"
#include "base/fd.h"
#include "sandbox/landlock.h"
#include "sandbox/sandbox.h"
#include "support/temp_folder.h"

namespace tunnel::sandbox {
namespace {

// 0: it went well; else the errno.
using Deed = std::function<int()>;

constexpr int kNotEntered = 250;

int error_of(long result) { return result < 0 ? errno : 0; }

// The wait status of a child that does it in a sandbox.
int status_of(const Needs& needs, const Deed& deed, config::Sandbox mode) {
  const pid_t child = ::fork();
  if (child == 0) {
    const Sandbox sandbox = Sandbox::enter(needs, {.mode = mode});
    if (!sandbox.report().has(Part::system_calls)) ::_exit(kNotEntered);
    ::_exit(deed());
  }
  int status = 0;
  CHECK(::waitpid(child, &status, 0) == child);
  return status;
}

// What the deed gave.
int within(const Needs& needs, const Deed& deed, config::Sandbox mode = config::Sandbox::require) {
  const int status = status_of(needs, deed, mode);
  REQUIRE_MESSAGE(WIFEXITED(status), "ended by signal " << WTERMSIG(status));
  return WEXITSTATUS(status);
}

// The signal that it died of, 0: none.
int deadly(const Deed& deed) {
  const int status = status_of({}, deed, config::Sandbox::automatic);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

// A sanitizer's program has no sandbox, and some kernels and containers have not.
bool has(Part part) {
  const pid_t child = ::fork();
  if (child == 0) {
    const Sandbox sandbox = Sandbox::enter({}, {.mode = config::Sandbox::require});
    ::_exit(sandbox.report().has(part) ? 0 : 1);
  }
  int status = 0;
  (void)::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
  MESSAGE("skipped: there is no sandbox for " << phrase(part) << " here");
  return false;
}

int try_open(const std::string& path, int flags) {
  const Fd fd(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  return fd.valid() ? 0 : errno;
}

Needs files(const std::string& path, const Rights& rights) {
  Needs needs;
  needs.files[path] = rights;
  return needs;
}

int try_connect(std::uint16_t port) {
  const SocketAddress address = SocketAddress::loopback_v4(port);
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return error_of(::connect(fd.get(), address.get(), address.length()));
}

int try_bind(std::uint16_t port) {
  const SocketAddress address = SocketAddress::loopback_v4(port);
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return error_of(::bind(fd.get(), address.get(), address.length()));
}

// A port where somebody listens.
class Listener {
 public:
  Listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const SocketAddress address = SocketAddress::loopback_v4(0);
    (void)::bind(fd_.get(), address.get(), address.length());
    (void)::listen(fd_.get(), 8);
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    (void)::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &length);
    port_ = SocketAddress::from(reinterpret_cast<sockaddr*>(&bound), length).port();
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  Fd fd_;
  std::uint16_t port_ = 0;
};

}  // namespace

TEST_CASE("A file beside the configured ones cannot be read, its neighbours can") {
  if (!has(Part::files)) return;
  const test::TempFolder folder;
  const std::string inside = folder.write("in/cert.pem", "x");
  const std::string next = folder.write("in/next.pem", "x");
  const std::string outside = folder.write("out/key.pem", "x");
  const Needs needs = files(inside, {.read = true});
  CHECK(within(needs, [&] { return try_open(inside, O_RDONLY); }) == 0);
  CHECK(within(needs, [&] { return try_open(next, O_RDONLY); }) == 0);
  CHECK(within(needs, [&] { return try_open(outside, O_RDONLY); }) == EACCES);
  CHECK(within(needs, [&] { return try_open(folder / "out", O_RDONLY | O_DIRECTORY); }) == EACCES);
}

TEST_CASE("What is read cannot be written, made or removed") {
  if (!has(Part::files)) return;
  const test::TempFolder folder;
  const std::string file = folder.write("in/cert.pem", "x");
  const Needs needs = files(file, {.read = true});
  CHECK(within(needs, [&] { return try_open(file, O_WRONLY); }) == EACCES);
  CHECK(within(needs, [&] { return try_open(folder / "in/new", O_WRONLY | O_CREAT); }) == EACCES);
  CHECK(within(needs, [&] { return error_of(::unlink(file.c_str())); }) == EACCES);
}

TEST_CASE("A log is opened again under its name, and read by nobody") {
  if (!has(Part::files)) return;
  const test::TempFolder folder;
  const std::string log = folder.write("log", "x");
  const Needs needs = files(log, {.write = true, .make_file = true});
  CHECK(within(needs, [&] { return try_open(folder / "new", O_WRONLY | O_CREAT); }) == 0);
  CHECK(within(needs, [&] { return try_open(log, O_WRONLY | O_APPEND | O_CREAT); }) == 0);
  CHECK(within(needs, [&] { return try_open(log, O_RDONLY); }) == EACCES);
}

TEST_CASE("A socket file is made and removed where one is configured") {
  if (!has(Part::files)) return;
  const test::TempFolder folder;
  const auto make = [&](const std::string& name) {
    const auto address = SocketAddress::unix_path(folder / name);
    const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::bind(fd.get(), address->get(), address->length()) != 0) return errno;
    return error_of(::unlink((folder / name).c_str()));
  };
  std::filesystem::create_directory(folder / "in");
  std::filesystem::create_directory(folder / "out");
  const Needs needs = files(folder / "in/socket", {.make_socket = true, .remove_file = true});
  CHECK(within(needs, [&] { return make("in/socket"); }) == 0);
  CHECK(within(needs, [&] { return make("out/socket"); }) == EACCES);
}

TEST_CASE("A thread that begins in the sandbox is in it") {
  if (!has(Part::files)) return;
  const test::TempFolder folder;
  const std::string outside = folder.write("key.pem", "x");
  CHECK(within({}, [&] {
          int error = 0;
          std::thread([&] { error = try_open(outside, O_RDONLY); }).join();
          return error;
        }) == EACCES);
}

TEST_CASE("Ports that are not configured cannot be connected to or listened at") {
  if (!has(Part::connect_ports)) return;
  const Listener configured;
  const Listener other;
  Needs needs;
  needs.connect_ports = {configured.port()};
  needs.bind_ports = {0};
  CHECK(within(needs, [&] { return try_connect(configured.port()); }) == 0);
  CHECK(within(needs, [&] { return try_connect(other.port()); }) == EACCES);
  CHECK(within(needs, [&] { return try_bind(0); }) == 0);
  CHECK(within(needs, [&] { return try_bind(other.port()); }) == EACCES);
}

TEST_CASE("Ports are free unless a sandbox is required") {
  if (!has(Part::system_calls)) return;
  const Listener other;
  CHECK(within(
            {}, [&] { return try_connect(other.port()); }, config::Sandbox::automatic) == 0);
}

TEST_CASE("Nothing can be run") {
  if (!has(Part::system_calls)) return;
  CHECK(deadly([] { return error_of(::execl("/bin/true", "true", nullptr)); }) == SIGSYS);
  CHECK(within({}, [] { return error_of(::fork()); }) == ENOSYS);
}

TEST_CASE("Other processes cannot be looked into or signalled") {
  if (!has(Part::system_calls)) return;
  const pid_t parent = ::getpid();
  CHECK(deadly([=] { return error_of(::ptrace(PTRACE_ATTACH, parent, 0, 0)); }) == SIGSYS);
  CHECK(within({}, [=] { return error_of(::kill(parent, SIGCONT)); }) == ENOSYS);
  CHECK(within({}, [] { return error_of(::kill(::getpid(), SIGCONT)); }) == 0);
}

TEST_CASE("Sockets are of the families that a tunnel has") {
  if (!has(Part::system_calls)) return;
  const auto make = [](int family, int type) {
    const Fd fd(::socket(family, type | SOCK_CLOEXEC, 0));
    return fd.valid() ? 0 : errno;
  };
  for (const int family : {AF_UNIX, AF_INET}) {
    CHECK(within({}, [&] { return make(family, SOCK_STREAM); }) == 0);
  }
  CHECK(within({}, [&] { return make(AF_NETLINK, SOCK_RAW); }) == 0);
  for (const int family : {AF_PACKET, AF_VSOCK, AF_ALG, AF_KEY}) {
    CHECK(within({}, [&] { return make(family, SOCK_RAW); }) == ENOSYS);
  }
}

TEST_CASE("No memory becomes executable") {
  if (!has(Part::system_calls)) return;
  const auto map = [](int protection) {
    return ::mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? errno
               : 0;
  };
  CHECK(within({}, [&] { return map(PROT_READ | PROT_WRITE); }) == 0);
  CHECK(within({}, [&] { return map(PROT_READ | PROT_EXEC); }) == EACCES);
  CHECK(within({}, [] {
          void* page =
              ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
          return error_of(::mprotect(page, 4096, PROT_READ | PROT_EXEC));
        }) == EACCES);
}

TEST_CASE("What is new to the filter seems not to be there") {
  if (!has(Part::system_calls)) return;
  CHECK(within({}, [] { return error_of(::syscall(SYS_io_uring_setup, 1, nullptr)); }) == ENOSYS);
  CHECK(within({}, [] { return error_of(::unshare(CLONE_NEWUSER)); }) == ENOSYS);
}

TEST_CASE("Threads begin, have names and end") {
  if (!has(Part::system_calls)) return;
  CHECK(within({}, [] {
          int error = -1;
          std::thread([&] { error = ::pthread_setname_np(::pthread_self(), "walls"); }).join();
          return error;
        }) == 0);
}

TEST_CASE("There is no core, no look into the memory, and no way to more rights") {
  if (!has(Part::system_calls)) return;
  CHECK(within({}, [] {
          rlimit limit{};
          (void)::getrlimit(RLIMIT_CORE, &limit);
          return static_cast<int>(limit.rlim_max);
        }) == 0);
  CHECK(within({}, [] {
          const rlimit more{.rlim_cur = 1, .rlim_max = 1};
          return error_of(::setrlimit(RLIMIT_CORE, &more));
        }) == ENOSYS);
  CHECK(within({}, [] { return error_of(::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); }) == ENOSYS);
}

TEST_CASE("A program to be run, and a token's module, keep their freedom") {
  if (!has(Part::system_calls)) return;
  Needs needs;
  needs.exec_services = {"shell"};
  const pid_t child = ::fork();
  if (child == 0) {
    const Sandbox sandbox = Sandbox::enter(needs, {.mode = config::Sandbox::require});
    const bool is_right =
        sandbox.failure().empty() && sandbox.report().in_force == std::vector{Part::not_dumpable};
    if (is_right) (void)::execl("/bin/true", "true", nullptr);
    ::_exit(1);
  }
  int status = 0;
  CHECK(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);

  const pid_t other = ::fork();
  if (other == 0) {
    Needs token;
    token.token_services = {"card"};
    const Sandbox sandbox = Sandbox::enter(token, {.mode = config::Sandbox::automatic});
    const bool is_right = sandbox.report().in_force ==
                          std::vector{Part::not_dumpable, Part::no_core, Part::no_new_privileges};
    ::_exit(is_right && try_open("/bin/true", O_RDONLY) == 0 ? 0 : 1);
  }
  CHECK(::waitpid(other, &status, 0) == other);
  CHECK(status == 0);
}

TEST_CASE("A required sandbox that comes too late names what it lacks") {
  if (!has(Part::files)) return;
  CHECK(within({}, [] { return 0; }) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    std::thread stays([] { ::pause(); });
    const Sandbox sandbox = Sandbox::enter({}, {.mode = config::Sandbox::require});
    const std::string failure = sandbox.failure();
    const bool is_right =
        failure.find("files (Landlock): a library has started 1 thread") != std::string::npos;
    ::_exit(is_right ? 0 : 1);
  }
  int status = 0;
  CHECK(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("What a changed configuration would need more is refused with the way out") {
  if (!has(Part::files)) return;
  const test::TempFolder folder;
  const std::string inside = folder.write("in/cert.pem", "x");
  const std::string outside = folder.write("out/cert.pem", "x");
  const pid_t child = ::fork();
  if (child == 0) {
    const Sandbox sandbox =
        Sandbox::enter(files(inside, {.read = true}), {.mode = config::Sandbox::automatic});
    Needs more = files(outside, {.read = true});
    more.exec_services = {"shell"};
    const bool is_right =
        sandbox.refusal(files(inside, {.read = true})).empty() &&
        sandbox.refusal(more) == "outside the sandbox of this process: reading " + outside +
                                     ", the program that [shell] runs (exec); restart it to take "
                                     "the change over";
    ::_exit(is_right ? 0 : 1);
  }
  int status = 0;
  CHECK(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("Off gives up nothing") {
  const Sandbox sandbox = Sandbox::enter({}, {.mode = config::Sandbox::off});
  CHECK(sandbox.report().in_force.empty());
  CHECK(sandbox.failure().empty());
  Needs needs;
  needs.exec_services = {"shell"};
  CHECK(sandbox.refusal(needs).empty());
}

}  // namespace tunnel::sandbox
