// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/fd.h"
#include "uv/loop.h"
#include "uv/stream.h"
#include "uv/timer.h"

// Real sockets on loopback, and a recorder of a Stream's events.
namespace tunnel::uv::testing {

inline void require(bool is_fine) {
  if (!is_fine) std::abort();
}

inline SocketAddress local_address(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  require(::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) == 0);
  return SocketAddress::from(reinterpret_cast<sockaddr*>(&storage), length);
}

inline Fd listen_on(const SocketAddress& address, int backlog = 16) {
  Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  require(::bind(fd.get(), address.get(), address.length()) == 0);
  require(::listen(fd.get(), backlog) == 0);
  return fd;
}

// `near` is non-blocking, as from accept4; `far` is the blocking peer that the test plays.
struct Pair {
  Fd near;
  Fd far;
  int family = AF_INET;

  static Pair tcp() {
    const Fd listener = listen_on(SocketAddress::loopback_v4(0));
    const SocketAddress address = local_address(listener.get());
    Fd far(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    require(::connect(far.get(), address.get(), address.length()) == 0);
    Fd near(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    require(near.valid());
    return {std::move(near), std::move(far), AF_INET};
  }
  static Pair local() {
    int fds[2];
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    require(::fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
    return {Fd(fds[0]), Fd(fds[1]), AF_UNIX};
  }

  void say(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t n = ::send(far.get(), text.data(), text.size(), MSG_NOSIGNAL);
      require(n > 0);
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void finish() const { require(::shutdown(far.get(), SHUT_WR) == 0); }
  void reset() {  // RST
    const linger hard{.l_onoff = 1, .l_linger = 0};
    require(::setsockopt(far.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard) == 0);
    far.reset();
  }
  // What there is to read now, without waiting; -errno in `error`, EOF as 0 bytes and no error.
  struct Heard {
    std::string text;
    int error = 0;
  };
  [[nodiscard]] Heard hear(int flags = MSG_DONTWAIT) const {
    std::string buffer(1 << 20, '\0');
    const ssize_t n = ::recv(far.get(), buffer.data(), buffer.size(), flags);
    if (n < 0) return {{}, -errno};
    buffer.resize(static_cast<std::size_t>(n));
    return {std::move(buffer), 0};
  }
};

// Writes down what a Stream says, and lets a test act at any event.
class Recorder final : public Stream::Events {
 public:
  std::string bytes;
  std::vector<std::string>
      events;  // "read" once per run of reads, "eof", "read error ECONNRESET"...
  std::function<void()> on_any = [] {};

  void on_read(MutableBytes read) override {
    bytes += as_text(read);
    if (events.empty() || events.back() != "read") return note("read");
    on_any();
  }
  void on_eof() override { note("eof"); }
  void on_read_error(int error) override { note(std::string("read error ") + uv_err_name(error)); }
  void on_write_error(int error) override {
    note(std::string("write error ") + uv_err_name(error));
  }
  void on_drained() override { note("drained"); }
  void on_connected(int status) override {
    note(status == 0 ? "connected" : std::string("not connected ") + uv_err_name(status));
  }
  [[nodiscard]] bool has(std::string_view event) const {
    for (const std::string& one : events) {
      if (one == event) return true;
    }
    return false;
  }

 private:
  void note(std::string event) {
    events.push_back(std::move(event));
    on_any();  // may destroy the Stream
  }
};

using Log = std::vector<std::string>;

// How long a condition may take to come, on any machine.
constexpr std::chrono::seconds kPatience{120};

// std::source_location is beyond clang 14.
[[noreturn]] inline void give_up_waiting(const char* file, int line) {
  (void)std::fprintf(stderr, "%s:%d: what is waited for here does not come\n", file, line);
  std::abort();
}

// Turns the loop until the condition holds.
template <class Condition>
void turn_until(Loop& loop, Condition condition, const char* file = __builtin_FILE(),
                int line = __builtin_LINE()) {
  // A timer runs before the poll of its turn, which would then wait for an event that nothing
  // makes: the tick has the condition looked at again.
  constexpr Millis kTick{10};
  Timer tick(loop, [] {});
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    tick.start(kTick);
    (void)uv_run(loop.raw(), UV_RUN_ONCE);
    if (std::chrono::steady_clock::now() > until) give_up_waiting(file, line);
  }
}
// As above where the condition changes outside of the loop.
template <class Condition>
void spin_until(Loop& loop, Condition condition, const char* file = __builtin_FILE(),
                int line = __builtin_LINE()) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    (void)uv_run(loop.raw(), UV_RUN_NOWAIT);
    if (std::chrono::steady_clock::now() > until) give_up_waiting(file, line);
  }
}

struct IgnoreSigpipe {
  IgnoreSigpipe() { (void)std::signal(SIGPIPE, SIG_IGN); }
};

// A loop, one adopted Stream and its peer.
struct Talk : IgnoreSigpipe {
  Loop loop;
  Pair peer;
  Recorder recorder;
  std::unique_ptr<Stream> stream;

  explicit Talk(Pair pair) : peer(std::move(pair)) {
    stream = Stream::adopt(loop, std::move(peer.near), peer.family, recorder).value();
  }
};

inline std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 131 + i / 251) & 0xff);
  return text;
}

}  // namespace tunnel::uv::testing
